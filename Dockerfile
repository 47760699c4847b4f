# The CPU flavour: builds with the same steps as `make run`, ends in an image that holds the binary alone.
# It is read by .ci/presubmit, which checks that it uses the same package list; it has not been run by us (no Docker engine at hand).
FROM debian:12-slim AS build
RUN apt-get update && apt-get install --no-install-recommends -y make git && rm -rf /var/lib/apt/lists/*
WORKDIR /pdarts
COPY third_party third_party
# Packages (third_party/debian-packages.txt) and the cached oneDNN first: they change least.
RUN third_party/install_packages.sh && third_party/build_cached.sh onednn && third_party/build_cached.sh catch2
COPY . .
RUN make all

FROM scratch
COPY --from=build /pdarts/build/pdarts /pdarts
ENTRYPOINT ["/pdarts"]
CMD ["help"]
