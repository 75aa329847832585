package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

const referenceFile = "../../rgate.reference.yml"

// paths lists a tree of keys as a.b.c, sorted.
func (t names) paths(prefix string) []string {
	var list []string
	for name, below := range t {
		list = append(list, prefix+name)
		list = append(list, below.paths(prefix+name+".")...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// keysOfSchema is the tree of keys that a schema describes.
func keysOfSchema(node, whole map[string]any) names {
	tree := names{}
	node = referred(node, whole)
	if properties, ok := node["properties"].(map[string]any); ok {
		for name, below := range properties {
			tree[name] = keysOfSchema(below.(map[string]any), whole)
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		maps.Copy(tree, keysOfSchema(items, whole))
	}
	if alternatives, ok := node["anyOf"].([]any); ok {
		for _, alternative := range alternatives {
			maps.Copy(tree, keysOfSchema(alternative.(map[string]any), whole))
		}
	}
	return tree
}

// referred is the node that node refers to, if it does.
func referred(node, whole map[string]any) map[string]any {
	name, ok := strings.CutPrefix(fmt.Sprint(node["$ref"]), "#/$defs/")
	if !ok {
		return node
	}
	return whole["$defs"].(map[string]any)[name].(map[string]any)
}

func parsedSchema(t *testing.T) map[string]any {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal(Schema(), &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestSchemaKnowsTheKeysOfTheDecoder(t *testing.T) {
	known, described := namesOf(topKeys).paths(""), keysOfSchema(parsedSchema(t), parsedSchema(t)).paths("")
	if diff := cmp.Diff(known, described); diff != "" {
		t.Errorf("keys (-decoder +schema):\n%s", diff)
	}
}

func TestEveryKeyOfTheSchemaIsDescribed(t *testing.T) {
	whole := parsedSchema(t)
	var walk func(path string, node map[string]any)
	walk = func(path string, node map[string]any) {
		if properties, ok := node["properties"].(map[string]any); ok {
			for name, below := range properties {
				below := referred(below.(map[string]any), whole)
				if text, _ := below["description"].(string); text == "" {
					t.Errorf("%s.%s has no description", path, name)
				}
				walk(path+"."+name, below)
			}
		}
		if items, ok := node["items"].(map[string]any); ok {
			walk(path, items)
		}
	}
	walk("", whole)
}

// TestKeysFillEveryField holds the tables of keys to the Go types: a field
// that no key fills could never be set.
func TestKeysFillEveryField(t *testing.T) {
	skip := map[string]bool{"Policies": true, "File": true, "Sum": true, "Line": true, "Place": true, "CertPlace": true, "KeyPlace": true, "Implied": true, "Offers": true}
	special := map[string]string{"CA": "ca", "IP": "ip", "APIKey": "api_key", "TLS": "tls", "ACME": "acme", "DNS": "dns", "EAB": "eab", "KeyID": "key_id", "MACKey": "mac_key", "RFC2136": "rfc2136", "HSTS": "hsts", "GRPC": "grpc", "GRPCWeb": "grpc_web", "HashBy": "consistent_hash", "HashName": "consistent_hash.header", "Policy": ""}
	var fields []string
	var walk func(prefix string, of reflect.Type)
	walk = func(prefix string, of reflect.Type) {
		for field := range of.Fields() {
			if skip[field.Name] {
				continue
			}
			name, ok := special[field.Name]
			if !ok {
				name = snake(field.Name)
			}
			inner := field.Type
			if inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch {
			case field.Name == "Traffic":
				walk(prefix, inner)
				continue
			case name == "api_key":
				for _, below := range []string{"", ".consumers", ".cookie", ".header", ".keep", ".query"} {
					fields = append(fields, prefix+name+below)
				}
				continue
			case name == "prefix":
				fields = append(fields, prefix+"add_prefix", prefix+"strip_prefix")
				continue
			case name != "":
				fields = append(fields, prefix+name)
			}
			if inner.Kind() == reflect.Struct && inner.PkgPath() == of.PkgPath() && inner.Name() != "Label" && inner.Name() != "Service" && inner.Name() != "Condition" && inner.Name() != "FieldValue" && inner.Name() != "Piece" && inner.Name() != "KeyHash" {
				walk(prefix+name+".", inner)
			}
		}
	}
	skip["HostSpots"] = true // places too
	skip["CAPlace"], special["Unverified"] = true, "verify"
	walk("", reflect.TypeFor[Config]())
	walk("policies.", reflect.TypeFor[Policy]())
	slices.Sort(fields)
	keys := slices.DeleteFunc(namesOf(topKeys).paths(""), func(path string) bool {
		return strings.HasSuffix(path, "consistent_hash.cookie") || // fills the field that header fills
			strings.HasSuffix(path, ".file") || // fills the list that it is in
			ofRoutes(path) || path == "policies" || strings.HasPrefix(path, "defaults")
	})
	if diff := cmp.Diff(keys, slices.Compact(fields)); diff != "" {
		t.Errorf("(-keys +fields):\n%s", diff)
	}
}

// ofRoutes tells whether a path of keys is of a policy that stands on a route.
func ofRoutes(path string) bool {
	below, ok := strings.CutPrefix(path, "routes.")
	name, _, _ := strings.Cut(below, ".")
	return ok && (name == "policies" || name == "policies_only" || slices.Contains(shortKinds, name))
}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("rgate.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("rgate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// validate holds a YAML text to the schema, as an editor does.
func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	var value any
	if err := yaml.Load(text, &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(instance)
}

func TestFilesFitTheSchema(t *testing.T) {
	schema := compiledSchema(t)
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, file := range append(files, referenceFile) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, data); err != nil {
			t.Errorf("%s does not fit: %v", file, err)
		}
	}
}

// TestSchemaAgreesWithTheDecoder gives both the same values: an editor must
// not mark what rgate takes, nor pass a plain mistake.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	const b = "backends: [{name: b, match_labels: [x], "
	const r, p, toB = "routes: [{backend: b, ", "routes: [{backend: b, path_prefix: /, ", "\nbackends: [{name: b, match_labels: [x]}]"
	agree(t, map[string]bool{
		"retries: 3":                          true,
		"retries: 11":                         false,
		"retries: '3'":                        false,
		`retries: "${N:-3}"`:                  true,
		"drain_timeout: 1m30s":                true,
		"drain_timeout: 30":                   false,
		"slow_start: 0":                       true,
		"balance: least_request":              true,
		"balance: fastest":                    false,
		"balance: {consistent_hash: path}":    true,
		"balance: {consistent_hash: header}":  false,
		"balance: {consistent_hash: {}}":      false,
		"balance: {random: }":                 false,
		"limits: {header_bytes: 64KB}":        true,
		"limits: {header_bytes: 64XB}":        false,
		"timeouts:":                           true,
		"reason_header: false":                true,
		"reason_header: no thanks":            false,
		"half_close: answer":                  true,
		"half_close: wait":                    false,
		"engine: loop":                        true,
		"engine: warp":                        false,
		"default_response: {status_code: 99}": false,
		"routes: [{path_prefix: /}]":          false,
		r + "}]" + toB:                        false,
		r + "hosts: []}]" + toB:               false,
		r + "hosts: [a.example]}]" + toB:      true,
		r + "hosts: a.example}]" + toB:        false,
		p + "hosts: [], methods: , headers: {}, query: }]" + toB:      true,
		p + "methods: [GET, M-SEARCH]}]" + toB:                        true,
		p + "methods: [get]}]" + toB:                                  false,
		p + "headers: {X-A: b, X-N: 2, X-T: true, X-F: 'no'}}]" + toB: true,
		p + "headers: {X-F: false}}]" + toB:                           false,
		p + "query: {a: , b: c}}]" + toB:                              false,
		p + "query: [a]}]" + toB:                                      false,
		"trusted_proxies: [10.0.0.0/8]":                               true,
		"trusted_proxies: 10.0.0.0/8":                                 false,
		b + "health: false}]":                                         true,
		b + "health: true}]":                                          false,
		b + "health: {grpc: shop.Orders}}]":                           true,
		b + "health: {grpc: ''}}]":                                    true,
		b + "health: {path: /x, grpc: false}}]":                       true,
		b + "health: {grpc: true}}]":                                  false,
		b + "health: {grpc: shop/Orders}}]":                           false,
		b + "port: 70000}]":                                           false,
		b + "address: published}]":                                    true,
		b + "prot: 80}]":                                              false,
		"backends: [{name: b}]":                                       false,
		"backends: [{name: b, match_labels: {a: 1, b: true, c: }}]":   true,
	})
}

func TestSchemaAgreesWithTheDecoderOnPolicies(t *testing.T) {
	const p, toB = "routes: [{backend: b, path_prefix: /, ", "}]\nbackends: [{name: b, match_labels: [x]}]"
	const named = "routes: [{path_prefix: /, backend: b, policies: [n]}]\nbackends: [{name: b, match_labels: [x]}]\npolicies: [{name: n, "
	const alone = "routes: [{path_prefix: /, "
	agree(t, map[string]bool{
		p + "policies: [{ip: {deny: [192.0.2.7]}}, {secure_headers: true}]" + toB: true,
		p + "policies: [{ip: {}, secure_headers: true}]" + toB:                    false,
		p + "policies: [{}]" + toB:                                                false,
		p + "policies: {ip: {}}" + toB:                                            false,
		p + "policies: [{name: n, ip: {}}]" + toB:                                 false,
		p + "policies_only: []" + toB:                                             true,
		p + "strip_prefix: /a, add_prefix: /b" + toB:                              true,
		p + "strip_prefix: a" + toB:                                               false,
		p + "policies: [{headers: {request: {set: {X-A: 'b {host}', X-N: 1}, remove: [X-B]}, response: }}]" + toB: true,
		p + "policies: [{headers: {request: {set: [X-A]}}}]" + toB:                                                false,
		p + "policies: [{headers: {requests: {}}}]" + toB:                                                         false,
		named + "ip: {}}]":                                                          true,
		named + "secure_headers: false}]":                                           true,
		named + "secure_headers: }]":                                                false,
		"policies: [{ip: {}}]":                                                      false,
		"policies: [{name: n}]":                                                     false,
		"defaults: {policies: [{secure_headers: true}]}":                            true,
		"defaults: {policy: []}":                                                    false,
		p + "api_key: " + toB:                                                       true,
		p + "api_key: {header: X-Key, consumers: [], keep: true}" + toB:             true,
		p + "api_key: {query: key, cookie: key}" + toB:                              false,
		p + "api_key: {headers: X-Key}" + toB:                                       false,
		p + "api_key: {consumers: ['a b']}" + toB:                                   false,
		"consumers: [{name: a, keys: , tags: [b, c]}]":                              true,
		"consumers: [{name: 'a b'}]":                                                false,
		"consumers: [{keys: []}]":                                                   false,
		"consumers: [{name: a, keys: [secret]}]":                                    false,
		"consumers: [{name: a, keys: ['sha256:" + strings.Repeat("0f", 32) + "']}]": true,
		"consumers: [{name: a, keys: ['sha256:" + strings.Repeat("0f", 31) + "']}]": false,
		alone + "redirect: {to: /new}}]":                                            true,
		alone + "redirect: {to: '/new{path}', status: 301}}]":                       true,
		alone + "redirect: {to: /new, status: 304}}]":                               false,
		alone + "redirect: {status: 301}}]":                                         false,
		alone + "respond: }]":                                                       true,
		alone + "respond: {status: 200, body: hi, content_type: text/html}}]":       true,
		alone + "respond: {status: 99}}]":                                           false,
		p + "ip: {allow: [10.0.0.0/8]}" + toB:                                       true,
		p + "ip: {deny: }" + toB:                                                    true,
		p + "ip: {deny: 192.0.2.7}" + toB:                                           false,
		p + "ip: {allow: [{}]}" + toB:                                               false,
		p + "ip: {allow: [{path: x}]}" + toB:                                        false,
		p + "ip: {allow: [7]}" + toB:                                                false,
		p + "ip: {allows: [10.0.0.0/8]}" + toB:                                      false,
		p + "ip: [10.0.0.0/8]" + toB:                                                false,
	})
}

// agree holds decoder and schema to what is right of each text.
func agree(t *testing.T, texts map[string]bool) {
	t.Helper()
	schema := compiledSchema(t)
	for text, want := range texts {
		_, err := Parse("config.yml", []byte(text), nil)
		if got := err == nil; got != want {
			t.Errorf("decoder takes %s: %v (%v)", text, got, err)
		}
		err = validate(t, schema, []byte(text))
		if got := err == nil; got != want {
			t.Errorf("schema takes %s: %v (%v)", text, got, err)
		}
	}
}
