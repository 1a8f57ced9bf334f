// A certificate that signs itself for hooks.acme.test, valid from 2020 to 2120, and its key: for tests only.

const pem = (label: string, base64: string) =>
  `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;

export const CERTIFICATE_NAME = "hooks.acme.test";

export const CERTIFICATE = pem(
  "CERTIFICATE",
  `MIIBczCCARmgAwIBAgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9ob29rcy5h
Y21lLnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBoxGDAW
BgNVBAMMD2hvb2tzLmFjbWUudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BMkn8UZNd/u1a/H2KUqVgcKKWkRGpndFgkLWxJifv3+vn6af3qFkM1fzgZvPn5IS
Sm0cYAvm2Tmh3OQEsLVGlTCjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMw
EYIPaG9va3MuYWNtZS50ZXN0MB0GA1UdDgQWBBTgtLBrd1OEmVnLljxxitlvQoMb
ojAKBggqhkjOPQQDAgNIADBFAiEA1YE4w16SD9CQlORs5dkwdZt/jjwuFLu8bkur
/CiRAGECIDDbC5y853+08O5UM6oMVz/nMu0o7RROr/kx2LZyPDe6`,
);

export const CERTIFICATE_KEY = pem(
  "PRIVATE KEY",
  `MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgR5qNL8HxBp2hgpwW
wrnf7dnP90Fg8cDllubIyD6G/UqhRANCAATJJ/FGTXf7tWvx9ilKlYHCilpERqZ3
RYJC1sSYn79/r5+mn96hZDNX84Gbz5+SEkptHGAL5tk5odzkBLC1RpUw`,
);
