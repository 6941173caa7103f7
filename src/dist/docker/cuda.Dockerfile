# mone-onnx on NVIDIA GPUs: what ONNX Runtime for CUDA 12 needs is in the image, but for the driver. From the root of a
# clone, on a machine with the NVIDIA Container Toolkit:
#
#   docker build -f src/dist/docker/cuda.Dockerfile -t mone-onnx:cuda .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/work" mone-onnx:cuda rewrite model.onnx -o pruned.onnx
FROM maven:3-eclipse-temurin-17 AS build
WORKDIR /source
COPY . .
RUN mvn -B -ntp -q -Pdist -Dmaven.test.skip=true package \
    && mkdir /opt/mone-onnx \
    && tar xzf target/mone-onnx-*.tar.gz -C /opt/mone-onnx --strip-components=1

FROM eclipse-temurin:17-jre AS java

FROM nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04
COPY --from=java /opt/java/openjdk /opt/java/openjdk
COPY --from=build /opt/mone-onnx /opt/mone-onnx
ENV JAVA_HOME=/opt/java/openjdk XDG_CACHE_HOME=/tmp/cache HOME=/tmp
WORKDIR /work
USER 65534:65534
ENTRYPOINT ["/opt/mone-onnx/bin/mone-onnx"]
