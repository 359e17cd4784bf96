// Command certs writes the keys and certificates of one cluster into a directory:
// a CA, and for each request a certificate that it signed. Requests are a JSON list
// on standard input: [{"name", "commonName", "organization", "addresses", "names"}].
// A request with addresses or names is a server's, any other a client's.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const validity = 10 * 365 * 24 * time.Hour

type request struct {
	Name         string   `json:"name"`
	CommonName   string   `json:"commonName"`
	Organization []string `json:"organization"`
	Addresses    []net.IP `json:"addresses"`
	Names        []string `json:"names"`
}

type authority struct {
	directory   string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: certs DIRECTORY <REQUESTS.json")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "certs:", err)
		os.Exit(1)
	}
}

func run(directory string) error {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		return fmt.Errorf("requests on standard input: %w", err)
	}
	ca := &authority{directory: directory}
	if err := ca.sign("ca", &x509.Certificate{
		Subject:               pkix.Name{CommonName: "kiro-swarm-ca"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}); err != nil {
		return err
	}
	for _, wanted := range requests {
		usage := x509.ExtKeyUsageClientAuth
		if len(wanted.Addresses)+len(wanted.Names) > 0 {
			usage = x509.ExtKeyUsageServerAuth
		}
		if err := ca.sign(wanted.Name, &x509.Certificate{
			Subject:     pkix.Name{CommonName: wanted.CommonName, Organization: wanted.Organization},
			IPAddresses: wanted.Addresses,
			DNSNames:    wanted.Names,
			KeyUsage:    x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{usage},
		}); err != nil {
			return err
		}
	}
	return nil
}

// sign completes the template, signs it (the first one signs itself and becomes the
// authority) and writes NAME.crt and NAME.key.
func (ca *authority) sign(name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return err
	}
	template.NotBefore = time.Now().Add(-time.Hour) // clocks differ
	template.NotAfter = time.Now().Add(validity)
	if ca.certificate == nil {
		ca.certificate, ca.key = template, key
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	for suffix, block := range map[string]*pem.Block{
		".crt": {Type: "CERTIFICATE", Bytes: certificate},
		".key": {Type: "PRIVATE KEY", Bytes: private},
		".pub": {Type: "PUBLIC KEY", Bytes: public},
	} {
		if err := os.WriteFile(filepath.Join(ca.directory, name+suffix), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
