/**
 * A certificate for `localhost` and `127.0.0.1` and the authority that signed it, valid from 2020 to 2120.
 *
 * Made once by openssl, so that specs need no openssl. The key is public with this file: nothing but a spec may trust it.
 */

/** The authority. Its key is gone, so it signs nothing more. */
export const TEST_CA = `-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIBATAKBggqhkjOPQQDAjAoMSYwJAYDVQQDDB1rYWZrYS10
ZW1wbGF0ZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEw
MTAwMDAwMFowKDEmMCQGA1UEAwwda2Fma2EtdGVtcGxhdGUgdGVzdCBhdXRob3Jp
dHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARX7kFPgiDMPTeiUulRUudl8z5d
ma4VjyconMvH9aOW1lAUcKMjrdbDuicRSWH7jIJMQUjstVWwN5G+yhIaKdx4ozIw
MDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBR2qO4hlgkUttlK6DB1cjb4FO3Z
JjAKBggqhkjOPQQDAgNIADBFAiEAoPlZk9IZKUakvhe6c0RGr7KnqEPaJKfZpczW
6q1bBs0CIHAbcwxKq1/q4ehTdIuyOZCBdKaZS1zX1qDgVG/GtLr1
-----END CERTIFICATE-----`;

/** A listener's certificate. */
export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIBAjAKBggqhkjOPQQDAjAoMSYwJAYDVQQDDB1rYWZrYS10
ZW1wbGF0ZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEw
MTAwMDAwMFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZI
zj0DAQcDQgAEnHeuoZ351c0XAot3ABTaAUw5GN8OVSvfTOWOYlfrk8CnZc84iGY7
J+qwAMUvwxS9y2jgs4PggkwFND4OapUBlaNeMFwwGgYDVR0RBBMwEYIJbG9jYWxo
b3N0hwR/AAABMB0GA1UdDgQWBBSBtAnOljTOnqFtfKB2uIjJJBb7vDAfBgNVHSME
GDAWgBR2qO4hlgkUttlK6DB1cjb4FO3ZJjAKBggqhkjOPQQDAgNJADBGAiEAkykm
dWlVavdpM06jk2TTD0nstxWvwbQk9q/k0Woh0IACIQCE5FKip8tK1+uHftW70Y2a
UA6SSaNeKct73En1R9TC8A==
-----END CERTIFICATE-----`;

/** Its key. */
export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjRHRVPlSY996kZM4
asZJNj58RcuE7/suKU3swBWu+vShRANCAAScd66hnfnVzRcCi3cAFNoBTDkY3w5V
K99M5Y5iV+uTwKdlzziIZjsn6rAAxS/DFL3LaOCzg+CCTAU0Pg5qlQGV
-----END PRIVATE KEY-----`;
