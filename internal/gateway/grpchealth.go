package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// The health service of gRPC (grpc/health/v1/health.proto) has one call that matters
// here, with one field either way. Its messages are written and read by hand: a
// library for that would be larger than the rest of rgate.

// errAnswer is for what is no answer to such a call.
var errAnswer = errors.New("the answer is not one of grpc.health.v1")

// serving is HealthCheckResponse.SERVING.
const serving = 1

// The parts of messages: tags are of a field's number and its type.
const (
	tagService = 1<<3 | typeBytes // of HealthCheckRequest
	tagStatus  = 1<<3 | typeVarint
	typeVarint = 0
	typeFixed8 = 1
	typeBytes  = 2
	typeFixed4 = 5
	frameHead  = 5 // whether it is compressed, and its length
)

// checkRequest is the framed request for the health of a service.
func checkRequest(service string) []byte {
	b := make([]byte, frameHead, frameHead+3+len(service))
	if service != "" {
		b = binary.AppendUvarint(append(b, tagService), uint64(len(service)))
		b = append(b, service...)
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-frameHead))
	return b
}

// checkStatus is the status in a framed answer.
func checkStatus(b []byte) (status uint64, err error) {
	if len(b) < frameHead || b[0] != 0 || int64(binary.BigEndian.Uint32(b[1:])) != int64(len(b)-frameHead) {
		return 0, errAnswer
	}
	for b = b[frameHead:]; len(b) > 0; {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, errAnswer
		}
		b = b[n:]
		value, n := binary.Uvarint(b)
		switch tag & 7 {
		case typeFixed8:
			n = 8
		case typeFixed4:
			n = 4
		case typeVarint:
		case typeBytes:
			if n <= 0 || value > uint64(len(b)-n) {
				return 0, errAnswer
			}
			n += int(value)
		default:
			return 0, errAnswer
		}
		if n <= 0 || n > len(b) {
			return 0, errAnswer
		}
		if tag == tagStatus {
			status = value
		}
		b = b[n:]
	}
	return status, nil
}

// maxCheckAnswer is more than any answer has.
const maxCheckAnswer = 4 << 10

// askGRPC is one probe of a service, over HTTP/2. base is the scheme and address.
func askGRPC(ctx context.Context, client *http.Client, base, service string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/grpc.health.v1.Health/Check", bytes.NewReader(checkRequest(service)))
	if err != nil {
		return err
	}
	request.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {"rgate-health"}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxCheckAnswer))
	if err != nil {
		return err
	}
	code, said := response.Trailer.Get("Grpc-Status"), response.Trailer.Get("Grpc-Message")
	if code == "" { // there was no message
		code, said = response.Header.Get("Grpc-Status"), response.Header.Get("Grpc-Message")
	}
	if response.StatusCode != http.StatusOK || code != "0" {
		return fmt.Errorf("status %d, grpc-status %q: %q", response.StatusCode, code, said)
	}
	switch status, err := checkStatus(body); {
	case err != nil:
		return err
	case status != serving:
		return fmt.Errorf("the service is not serving: status %d", status)
	}
	return nil
}

// overHTTP2 has a transport speak HTTP/2 at once, with TLS or without.
func overHTTP2(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP2(true)
	t.Protocols.SetUnencryptedHTTP2(true)
}
