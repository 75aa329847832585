package acme

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

var errNoAdvice = errors.New("the authority does not say when to renew")

// maxAdvice bounds what is read of an authority's advice.
const maxAdvice = 64 << 10

// advice is when an authority wants a certificate to be replaced (RFC 9773 §4).
// acmez asks for it too, but takes a window of a second, by which some say "at
// once", for none.
func (a *authority) advice(ctx context.Context, leaf *x509.Certificate) (info acme.RenewalInfo, err error) {
	directory, err := a.client().GetDirectory(ctx)
	if err != nil {
		return info, err
	}
	if directory.RenewalInfo == "" {
		return info, errNoAdvice
	}
	id, err := acme.ARIUniqueIdentifier(leaf)
	if err != nil {
		return info, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(directory.RenewalInfo, "/")+"/"+id, nil)
	if err != nil {
		return info, err
	}
	answer, err := a.way.client().Do(request)
	if err != nil {
		return info, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAdvice))
	switch {
	case err != nil:
		return info, err
	case answer.StatusCode != http.StatusOK:
		return info, fmt.Errorf("asked when to renew, the authority answers %d", answer.StatusCode)
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return acme.RenewalInfo{}, err
	}
	return chosen(info, retryAfter(answer.Header.Get("Retry-After"), time.Now()))
}

// chosen is info with a time within its window, which is any (§4.2).
func chosen(info acme.RenewalInfo, again time.Time) (acme.RenewalInfo, error) {
	window := info.SuggestedWindow.End.Sub(info.SuggestedWindow.Start)
	if !info.HasWindow() || window <= 0 {
		return acme.RenewalInfo{}, errors.New("the window in which the authority wants a renewal is none")
	}
	info.SelectedTime = info.SuggestedWindow.Start.Add(rand.N(window))
	if info.RetryAfter = nil; !again.IsZero() {
		info.RetryAfter = &again
	}
	return info, nil
}
