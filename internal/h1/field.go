package h1

import (
	"bytes"
	"encoding/binary"
)

// Field is one field line.
type Field struct {
	Name, Value []byte // Value without surrounding white space
	ID          FieldID
	// Hop marks fields of this connection only, which must not be forwarded:
	// those the RFCs name, and those the sender nominated in Connection.
	Hop bool
}

// FieldID is a known field name, recognised once so that nobody compares
// names again.
type FieldID uint8

// The known field names. Those from FieldHost to FieldUpgrade decide framing
// and routing inside this package.
const (
	FieldOther FieldID = iota // any name not listed here
	FieldHost
	FieldContentLength
	FieldTransferEncoding
	FieldConnection
	FieldExpect
	FieldUpgrade
	FieldKeepAlive
	FieldProxyConnection
	FieldProxyAuthenticate
	FieldProxyAuthorization
	FieldProxy // no field of HTTP, but CGI makes HTTP_PROXY of it, which clients take for their proxy
	FieldTE
	FieldTrailer
	FieldForwarded
	FieldXForwardedFor
	FieldXForwardedHost
	FieldXForwardedProto
	FieldXForwardedOther // any other X-Forwarded-… name
	FieldClientCert      // Client-Cert, Client-Cert-Chain (RFC 9440), X-Client-Cert-…
	FieldTwin            // a name that a gateway alone says, spelled with underscores
	FieldXRealIP
	FieldXRequestID
	FieldVia
	FieldCacheControl
	FieldDate
	FieldServer
	FieldAccept
	FieldAcceptEncoding
	FieldAcceptLanguage
	FieldAge
	FieldAuthorization
	FieldContentEncoding
	FieldContentRange
	FieldContentType
	FieldCookie
	FieldETag
	FieldIfModifiedSince
	FieldIfNoneMatch
	FieldLastModified
	FieldLocation
	FieldMaxForwards
	FieldOrigin
	FieldRange
	FieldReferer
	FieldSetCookie
	FieldTraceparent
	FieldUserAgent
	FieldVary
	FieldWWWAuthenticate
	fieldCount
)

const xForwardedPrefix, clientCert = "x-forwarded-", "client-cert"

// knownField is what is known about one FieldID. head and tail are the name's
// first and last eight bytes: together they compare any name up to 16 bytes in
// two steps, and the middle of longer ones is compared bytewise.
type knownField struct {
	name       string
	head, tail uint64
	// hop: of this connection only, by RFC 9110 §7.6.1 and §11.7; Proxy, which
	// no endpoint should ever see, goes the same way.
	hop bool
	// kept: a nomination in Connection does not remove it, because framing,
	// routing, the caller's identity or the record of the exchange hang on it.
	kept bool
	// late: must not come in a trailer section, RFC 9110 §6.5.1.
	late bool
	// own: a gateway says this, so nobody may say it in another spelling. CGI
	// and what follows it read underscores in names as hyphens.
	own bool
}

var knownFields = [fieldCount]knownField{
	FieldOther:              {},
	FieldHost:               {name: "host", kept: true, late: true},
	FieldContentLength:      {name: "content-length", kept: true, late: true, own: true},
	FieldTransferEncoding:   {name: "transfer-encoding", hop: true, late: true, own: true},
	FieldConnection:         {name: "connection", hop: true, late: true},
	FieldExpect:             {name: "expect", kept: true, late: true},
	FieldUpgrade:            {name: "upgrade", hop: true, late: true},
	FieldKeepAlive:          {name: "keep-alive", hop: true, late: true, own: true},
	FieldProxyConnection:    {name: "proxy-connection", hop: true, late: true, own: true},
	FieldProxyAuthenticate:  {name: "proxy-authenticate", hop: true, late: true, own: true},
	FieldProxyAuthorization: {name: "proxy-authorization", hop: true, late: true, own: true},
	FieldProxy:              {name: "proxy", hop: true, late: true},
	FieldTE:                 {name: "te", hop: true, late: true},
	FieldTrailer:            {name: "trailer", kept: true, late: true},
	FieldForwarded:          {name: "forwarded", kept: true, late: true},
	FieldXForwardedFor:      {name: "x-forwarded-for", kept: true, late: true, own: true},
	FieldXForwardedHost:     {name: "x-forwarded-host", kept: true, late: true, own: true},
	FieldXForwardedProto:    {name: "x-forwarded-proto", kept: true, late: true, own: true},
	FieldXForwardedOther:    {kept: true, late: true, own: true},
	FieldClientCert:         {kept: true, late: true, own: true},
	FieldTwin:               {kept: true, late: true},
	FieldXRealIP:            {name: "x-real-ip", kept: true, late: true, own: true},
	FieldXRequestID:         {name: "x-request-id", kept: true, late: true, own: true},
	FieldVia:                {name: "via", kept: true, late: true},
	FieldCacheControl:       {name: "cache-control", kept: true, late: true},
	FieldDate:               {name: "date", late: true},
	FieldServer:             {name: "server"},
	FieldAccept:             {name: "accept"},
	FieldAcceptEncoding:     {name: "accept-encoding"},
	FieldAcceptLanguage:     {name: "accept-language"},
	FieldAge:                {name: "age", late: true},
	FieldAuthorization:      {name: "authorization", late: true},
	FieldContentEncoding:    {name: "content-encoding", kept: true, late: true},
	FieldContentRange:       {name: "content-range", kept: true, late: true},
	FieldContentType:        {name: "content-type", kept: true, late: true},
	FieldCookie:             {name: "cookie", late: true},
	FieldETag:               {name: "etag"},
	FieldIfModifiedSince:    {name: "if-modified-since", late: true},
	FieldIfNoneMatch:        {name: "if-none-match", late: true},
	FieldLastModified:       {name: "last-modified"},
	FieldLocation:           {name: "location", late: true},
	FieldMaxForwards:        {name: "max-forwards", late: true},
	FieldOrigin:             {name: "origin"},
	FieldRange:              {name: "range", late: true},
	FieldReferer:            {name: "referer"},
	FieldSetCookie:          {name: "set-cookie", kept: true, late: true},
	FieldTraceparent:        {name: "traceparent"},
	FieldUserAgent:          {name: "user-agent"},
	FieldVary:               {name: "vary", late: true},
	FieldWWWAuthenticate:    {name: "www-authenticate", late: true},
}

// fieldSlots maps nameHash to the one known name with that hash; a test holds
// the hash free of collisions.
var fieldSlots = buildFieldSlots()

func buildFieldSlots() (slots [128]FieldID) {
	for id := range knownFields {
		k := &knownFields[id]
		if k.name == "" {
			continue
		}
		if n := len(k.name); n >= 8 {
			k.head = binary.LittleEndian.Uint64([]byte(k.name))
			k.tail = binary.LittleEndian.Uint64([]byte(k.name[n-8:]))
		}
		slots[nameHash([]byte(k.name))] = FieldID(id)
	}
	return slots
}

// nameHash was found by search over the known names. Setting bit 0x20 lowers
// letters; of token bytes only '^' and '_' are changed besides, to bytes that
// no known name has.
func nameHash(name []byte) uint8 {
	first, last := name[0]|0x20, name[len(name)-1]|0x20
	return (uint8(len(name)) + first*34 + last*3) & 127
}

// lookupField recognises a name, which must be a non-empty token.
func lookupField(name []byte) FieldID {
	id := fieldSlots[nameHash(name)]
	if k := &knownFields[id]; len(k.name) == len(name) && k.matches(name) {
		return id
	}
	if len(name) > len(xForwardedPrefix) && name[0]|0x20 == 'x' &&
		equalFold(name[:len(xForwardedPrefix)], xForwardedPrefix) {
		return FieldXForwardedOther
	}
	if isClientCert(name) {
		return FieldClientCert
	}
	if bytes.IndexByte(name, '_') >= 0 {
		return lookupTwin(name)
	}
	return FieldOther
}

// isClientCert tells of the fields that say whose certificate a client has shown,
// and of all that begin alike.
func isClientCert(name []byte) bool {
	if len(name) > 2 && name[0]|0x20 == 'x' && name[1] == '-' {
		name = name[2:]
	}
	n := len(clientCert)
	return len(name) >= n && name[0]|0x20 == 'c' && equalFold(name[:n], clientCert) && (len(name) == n || name[n] == '-')
}

// lookupTwin recognises a name with underscores in it.
func lookupTwin(name []byte) FieldID {
	var space [32]byte // more than any known name has; of X-Forwarded-… the beginning says enough
	hyphens := space[:copy(space[:], name)]
	for i, c := range hyphens {
		if c == '_' {
			hyphens[i] = '-'
		}
	}
	if id := lookupField(hyphens); knownFields[id].own {
		return FieldTwin
	}
	return FieldOther
}

// matches expects a name of the same length.
func (k *knownField) matches(name []byte) bool {
	n := len(name)
	if n < 8 {
		for i := range n {
			if name[i]|0x20 != k.name[i] {
				return false
			}
		}
		return true
	}
	const fold = 0x20 * ones
	if binary.LittleEndian.Uint64(name)|fold != k.head || binary.LittleEndian.Uint64(name[n-8:])|fold != k.tail {
		return false
	}
	for i := 8; i < n-8; i++ {
		if name[i]|0x20 != k.name[i] {
			return false
		}
	}
	return true
}

// String returns the name in lower case, or "" where an id stands for many.
func (id FieldID) String() string { return knownFields[id].name }
