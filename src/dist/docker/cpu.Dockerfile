# mone-onnx on CPUs. From the root of a clone:
#
#   docker build -f src/dist/docker/cpu.Dockerfile -t mone-onnx .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" mone-onnx rewrite model.onnx --ratio 0.5 -o pruned.onnx
FROM maven:3-eclipse-temurin-17 AS build
WORKDIR /source
COPY . .
RUN mvn -B -ntp -q -Pdist,cpu -Dmaven.test.skip=true package \
    && mkdir /opt/mone-onnx \
    && tar xzf target/mone-onnx-*-cpu.tar.gz -C /opt/mone-onnx --strip-components=1

FROM eclipse-temurin:17-jre
COPY --from=build /opt/mone-onnx /opt/mone-onnx
# Where any user may keep what libraries unpack.
ENV XDG_CACHE_HOME=/tmp/cache HOME=/tmp
WORKDIR /work
USER 65534:65534
ENTRYPOINT ["/opt/mone-onnx/bin/mone-onnx"]
