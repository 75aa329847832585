package wire

import "rgate/internal/h1"

// The fields of gRPC that rgate heeds.
const (
	grpcTimeout = "grpc-timeout"
	grpcStatus  = "grpc-status"
)

// isTimeout tells whether a field says how long a call may take.
func isTimeout(name []byte) bool {
	return len(name) == len(grpcTimeout) && foldEqual(name, grpcTimeout)
}

// StatusOf is the code with which an endpoint ended a call of gRPC, in a trailer
// section, or in a head where there are no messages; nil for none.
func StatusOf(fields []h1.Field) []byte {
	for i := range fields {
		if f := &fields[i]; len(f.Name) == len(grpcStatus) && foldEqual(f.Name, grpcStatus) {
			return f.Value
		}
	}
	return nil
}
