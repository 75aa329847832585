package acme

import (
	"bytes"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "set-txt" {
		setTXT(os.Args[2:])
		return
	}
	// What keeps the file of a lock fresh looks every few seconds whether it is
	// there, and ends by itself when it is not.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
}

// setTXT is the command that sets records: it tells the name server of pebble.
// args are the server's URL, the action, the record's name and its value.
func setTXT(args []string) {
	if len(args) != 4 || len(os.Environ()) > 2 {
		log.Fatalf("called with %q and %q", args, os.Environ())
	}
	action := map[string]string{"set": "/set-txt", "remove": "/clear-txt"}[args[1]]
	text, _ := json.Marshal(map[string]string{"host": args[2] + ".", "value": args[3]})
	answer, err := http.Post(args[0]+action, "application/json", bytes.NewReader(text))
	if err != nil || answer.StatusCode != http.StatusOK {
		log.Fatal(err, answer)
	}
	_ = answer.Body.Close()
}
