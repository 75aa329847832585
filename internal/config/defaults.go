package config

import "time"

// The answer to a request that no route takes, where the file has none.
const (
	defaultBody        = "No route takes this path.\n"
	defaultStatus      = 404
	defaultContentType = "text/plain; charset=utf-8"
)

// Default is the configuration of a file that says nothing: no routes, no
// backends, and every default.
func Default() *Config {
	return &Config{
		DefaultResponse: Response{Body: defaultBody, StatusCode: defaultStatus, ContentType: defaultContentType},
		Stats:           Stats{Path: "/stats"},
		Upgrade:         Upgrade{DrainTimeout: time.Hour},
		Timeouts: Timeouts{
			Connect:        time.Second,
			ResponseHeader: time.Minute,
			Idle:           time.Minute,
			ClientHeader:   10 * time.Second,
		},
		Limits: Limits{
			HeaderBytes:           32 << 10,
			HeaderCount:           100,
			ResponseHeaderBytes:   256 << 10,
			ResponseHeaderCount:   1_000,
			Connections:           20_000,
			ConnectionsPerClient:  2_000,
			Handshakes:            1_000,
			RequestsPerConnection: 10_000,
			Streams:               100,
			BodyProgress:          BodyProgress{Bytes: 1 << 10, Within: 10 * time.Second},
		},
		ReasonHeader: true,
		HalfClose:    HalfCloseCancel,
		Engine:       EngineAuto,
		Traffic:      defaultTraffic(),
	}
}

func defaultTraffic() Traffic {
	return Traffic{
		Retries:      2,
		DrainTimeout: 30 * time.Second,
		Balance:      Balance{Policy: BalanceRandom},
		Health: Health{
			Interval:       2 * time.Second,
			Timeout:        time.Second,
			Expect:         200,
			HealthyAfter:   2,
			UnhealthyAfter: 2,
		},
		Eject: Eject{ConnectFailures: 3, Base: time.Second, Max: 30 * time.Second},
		Queue: Queue{Size: 100, Timeout: 5 * time.Second},
	}
}

// defaultBackend is a backend whose keys are all left out, in a file whose
// top level says traffic.
func defaultBackend(traffic Traffic) Backend {
	return Backend{Scheme: SchemeHTTP, Address: "auto", Traffic: traffic}
}
