# Roadbook's server. It needs a PostgreSQL 15 or later of yours; compose.yaml
# has one beside it. docs/operations.md says more.

FROM golang:1.26-alpine3.22 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG REVISION=unknown
RUN CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
    go build -trimpath -ldflags="-s -w -X main.built=${REVISION}" -o /roadbook ./cmd/roadbook

FROM alpine:3.22
RUN apk add --no-cache ca-certificates \
 && adduser -D -H -u 10001 roadbook \
 && install -d -o roadbook -g roadbook -m 0700 /data
COPY --from=build /roadbook /usr/local/bin/roadbook

USER roadbook
VOLUME /data
ENV ROADBOOK_ADDR=:8080 \
    ROADBOOK_DATA=/data \
    ROADBOOK_LOG=json
EXPOSE 8080

# Alive, and able to serve: its database answers and its schema is there.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD wget -q -O /dev/null http://127.0.0.1:8080/readyz || exit 1

# It must get the signals itself: SIGTERM asks for an orderly end.
ENTRYPOINT ["/usr/local/bin/roadbook"]
CMD ["serve"]
