// Package authority is rgate's own certificate authority, for localhost and
// private names alone. Its root is made once and kept in a directory, or lives
// in memory; the certificates of hosts are made when they are asked for, live
// for days, and are never written anywhere.
package authority
