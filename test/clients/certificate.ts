// A certificate that signs itself for 127.0.0.1, valid from 2020 to 2120, and its key: for tests only.

const pem = (label: string, base64: string) =>
  `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;

export const CERTIFICATE = pem(
  "CERTIFICATE",
  `MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w
LjEwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIJGkHOWTn7vlMNV
qz+omlUgmCFIr05qAivCufshk93h0fRY5EJoqNuOikq96I6QJkjnyVhrabzzvXgo
Pqo07gyjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYcEfwAAAYIJbG9j
YWxob3N0MB0GA1UdDgQWBBQEslxVddroMKMoR58HmWN8834gyDAKBggqhkjOPQQD
AgNHADBEAiBMjD/0Q2yJ1YuXPzpZ3KYHsTF0Ugql5WE5dSoeeBL9SQIgWJ+fpx/o
D4GnpFMPYGBPqIPHUlAWbGqxX9purpPz+pw=`,
);

export const CERTIFICATE_KEY = pem(
  "PRIVATE KEY",
  `MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeSfrbqJzBKUmCb1G
R4oHRxU6+e7QcsleMWPZw0JFq1GhRANCAASCRpBzlk5+75TDVas/qJpVIJghSK9O
agIrwrn7IZPd4dH0WORCaKjbjopKveiOkCZI58lYa2m88714KD6qNO4M`,
);
