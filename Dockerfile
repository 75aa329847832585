# rgate in an image with nothing else. The binary comes from the build context
# (`make build`, or `make image` for both), so building needs no registry.
FROM scratch
ARG BINARY=bin/rgate
COPY ${BINARY} /rgate
# What is to outlive the container: a volume mounted there is rgate's, too.
COPY --chown=65532:65532 packaging/state /var/lib/rgate
# No name, because there is no /etc/passwd. To read the Docker socket the
# container also needs the socket's group: see compose.yml.
USER 65532:65532
WORKDIR /etc/rgate
EXPOSE 8080
ENTRYPOINT ["/rgate"]
CMD ["--port", "8080", "--config", "/etc/rgate/config.yml"]
