#!/usr/bin/env python3
"""Makes the Parquet files beside it: needs Python with pyarrow (25.0.1); the tests do not."""
import base64
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.parquet.encryption as pe

TEXTS = [{'text': 'In the beginning', 'id': 1}, {'text': None, 'id': 2}, {'text': '', 'id': 3},
         {'text': 'naïve: 光あれ 😀', 'id': 4}] + [{'text': f'And row {i % 3} said', 'id': i} for i in range(4, 12)]
table = pa.Table.from_pylist(TEXTS)
for codec in 'none', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli':
    pq.write_table(table, f'{codec}.parquet', compression=codec, row_group_size=5, write_page_checksum=True)
pq.write_table(table, 'plain-v2.parquet', compression='zstd', use_dictionary=False, data_page_version='2.0')
CHATS = [{'messages': [{'role': 'user', 'content': 'Hi', 'calls': None}, {'role': 'assistant', 'content': 'Ho', 'calls': None}],
          'source': 'a', 'tools': [{'name': 'f', 'parameters': [1, 2]}]},
         {'messages': [{'role': 'user', 'content': 'Bye', 'calls': [{'id': 7, 'ok': True, 'x': 0.5}]}], 'source': 'b', 'tools': None}]
pq.write_table(pa.Table.from_pylist(CHATS), 'chats.parquet')
pq.write_table(pa.Table.from_pylist(CHATS), 'chats-old.parquet', use_compliant_nested_type=False)
KINDS = pa.table({'input_ids': [[1, 2]], 'bytes': [b'ab'], 'image': [{'bytes': b'ab', 'path': 'p'}], 'number': [1],
                  'map': pa.array([[('a', 'b')]], pa.map_(pa.string(), pa.string())),
                  'times': pa.array([[{'role': 'user', 'at': 0}]], pa.list_(pa.struct([('role', pa.string()), ('at', pa.timestamp('ms'))]))),
                  'strings': [['a', 'b']], 'category': pa.array(['Let there be light']).dictionary_encode()})
pq.write_table(KINDS, 'kinds.parquet')
pq.write_table(pa.table({'body': ['only column']}), 'one.parquet')
pq.write_table(pa.table({'text': ['light ' * 100_000]}), 'long.parquet', compression='zstd')

class Keys(pe.KmsClient):
    def __init__(self, config): pe.KmsClient.__init__(self)
    def wrap_key(self, key, name): return base64.b64encode(key)
    def unwrap_key(self, key, name): return base64.b64decode(key)

for name, footer in ('encrypted', False), ('encrypted-column', True):
    keys = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), pe.EncryptionConfiguration(
        footer_key='f', column_keys={'c': ['text']}, plaintext_footer=footer))
    with pq.ParquetWriter(f'{name}.parquet', pa.schema([('text', pa.string()), ('other', pa.string())]), encryption_properties=keys) as writer:
        writer.write_table(pa.table({'text': ['secret'], 'other': ['open']}))
