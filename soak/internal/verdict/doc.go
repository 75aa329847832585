// Package verdict tells what a gateway lost from what no gateway could save.
//
// A failed request is unavoidable only with one of these proofs, all three
// parts of which have to be there:
//
//   - Taken: it was a POST, which may not be sent twice; the gateway's log says
//     that its last attempt broke on a connection to a certain container after
//     bytes were written; and the engine's events say that this container was
//     sent its stop signal or KILL, ended, or lost its network, while the
//     request was under way.
//     So it was with the process, or with the kernel on its behalf.
//   - Sick: where the configuration ejects by server errors, it is a 500 that
//     the container itself gave, before the ejection could take hold, or as
//     the one trial after an ejection was over.
//
// A GET is never taken: it can be sent again. Neither is a request that was
// sent later than News after the signal: a gateway has heard of it by then.
package verdict
