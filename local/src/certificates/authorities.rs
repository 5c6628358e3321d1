//! `--ca`: authorities that are trusted besides the system's.

use super::name;
use clap::{Arg, Args, Command, builder::TypedValueParser, error::ErrorKind};
use data_encoding::BASE64;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{ffi::OsStr, fs::File, io::Read};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// The longest file that is read: enough for all public authorities, several times.
const LONGEST: u64 = 4 << 20;

/// Authorities that are trusted besides the system's.
#[derive(Debug, Clone, Default, Args)]
pub struct Authorities {
    /// Certificate of a private authority, as a PEM file. It is trusted besides the authorities of this machine. May be repeated.
    #[arg(
        long = "ca",
        value_name = "FILE",
        env = "CLOUD_APPS_CA",
        global = true,
        hide_env_values = true,
        allow_hyphen_values = true,
        value_parser = AuthorityParser
    )]
    ca: Vec<Authority>,
}

/// The certificates of one file.
#[derive(Debug, Clone)]
pub struct Authority(Vec<CertificateDer<'static>>);

/// Reads the file that a value names. The error for a bad value quotes it, so a value that may be a private key itself is
/// refused before.
#[derive(Clone)]
struct AuthorityParser;

impl TypedValueParser for AuthorityParser {
    type Value = Authority;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Authority, clap::Error> {
        if value.to_string_lossy().contains("-----BEGIN") {
            let message = "--ca and CLOUD_APPS_CA name a file. This value is what such a file holds: write it to a file, and \
                           give its path.\n";
            return Err(command.clone().error(ErrorKind::ValueValidation, message));
        }
        Authority::read.parse_ref(command, arg, value)
    }
}

impl Authorities {
    /// All certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.ca.iter().flat_map(|authority| &authority.0)
    }

    /// All certificates as one PEM text, if there are any.
    pub fn pem(&self) -> Option<String> {
        let each = self.certificates().map(|certificate| {
            let text = BASE64.encode(certificate);
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        });
        Some(each.collect::<String>()).filter(|pem| !pem.is_empty())
    }
}

impl From<Authority> for Authorities {
    fn from(authority: Authority) -> Self {
        Self { ca: vec![authority] }
    }
}

impl Authority {
    /// Reads a PEM file. No error quotes what it holds, because it may be a private key.
    pub fn read(path: &str) -> Result<Self, String> {
        if path.is_empty() {
            return Err(
                "no file is named; without a private authority, leave --ca and CLOUD_APPS_CA out".to_owned()
            );
        }
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
        read.map_err(|error| format!("the file cannot be read: {error}"))?;
        if bytes.len() as u64 > LONGEST {
            return Err("the file is longer than 4 MiB, so it is not a list of certificates".to_owned());
        }
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut certificates = Vec::new();
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            let place = format!("certificate {} of the file", certificates.len() + 1);
            let certificate =
                certificate.map_err(|_| format!("{place} is damaged: it cannot be read as PEM"))?;
            signs_others(&certificate).map_err(|why| format!("{place} {why}"))?;
            store.add(certificate.clone()).map_err(|_| format!("{place} cannot be read"))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() { Err(no_certificate(bytes)) } else { Ok(Self(certificates)) }
    }
}

/// Whether other certificates may be verified with this one: it is an authority's, or it is signed by itself.
fn signs_others(certificate: &CertificateDer<'_>) -> Result<(), String> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| "cannot be read")?;
    if certificate.is_ca() || certificate.issuer().as_raw() == certificate.subject().as_raw() {
        return Ok(());
    }
    let (subject, issuer) = (name(certificate.subject()), name(certificate.issuer()));
    Err(format!(
        "is not an authority's: it belongs to {subject}. Name a file with the certificate of {issuer}, which issued it"
    ))
}

/// What a file without a certificate is.
fn no_certificate(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let what = if text.trim().is_empty() {
        "the file is empty"
    } else if text.contains("PRIVATE KEY-----") {
        "the file holds a private key, and no certificate; --ca takes the certificate of the authority, and needs no key"
    } else if bytes.starts_with(&[0x30]) {
        "the file is not PEM, it may be DER; `openssl x509 -inform der -in FILE -out ca.pem` converts it"
    } else {
        "the file holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"
    };
    what.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    fn named(name: &str, is_ca: IsCa) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["chat.example.com".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = is_ca;
        params
    }

    const CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

    fn refusal(bytes: &[u8]) -> String {
        Authority::parse(bytes).unwrap_err()
    }

    #[test]
    fn a_key_in_place_of_a_path_is_never_repeated() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let command = Authorities::augment_args(Command::new("cloud-apps"));
        let refused = command.try_get_matches_from(["cloud-apps", "--ca", &key]).unwrap_err().to_string();
        assert!(refused.contains("name a file"), "{refused}");
        assert!(!refused.contains(key.lines().nth(1).unwrap()));
    }

    #[test]
    fn all_certificates_of_a_file_are_taken_and_what_stands_between_them_is_not() {
        let key = KeyPair::generate().unwrap();
        let pem = named("One", CA).self_signed(&key).unwrap().pem();
        let alone = named("chat.example.com", IsCa::NoCa).self_signed(&key).unwrap().pem();
        let file = format!("# Our authority\n{pem}\n{}\r\n{alone}", key.serialize_pem());
        let authorities = Authorities::from(Authority::parse(file.as_bytes()).unwrap());
        assert_eq!(authorities.certificates().count(), 2);
        let again = Authority::parse(authorities.pem().unwrap().as_bytes()).unwrap();
        assert_eq!(again.0, authorities.ca[0].0);
        assert!(Authorities::default().pem().is_none());
    }

    #[test]
    fn the_certificate_of_a_server_is_refused_with_the_name_of_its_authority() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let authority = Issuer::new(named("Example Root", CA), key);
        let leaf = named("chat.example.com", IsCa::NoCa).signed_by(&other, &authority).unwrap();
        let refused = refusal(leaf.pem().as_bytes());
        assert_eq!(
            refused,
            "certificate 1 of the file is not an authority's: it belongs to \"chat.example.com\". Name a file with the \
             certificate of \"Example Root\", which issued it"
        );
    }

    #[test]
    fn a_file_without_a_certificate_is_told_for_what_it_is() {
        let key = KeyPair::generate().unwrap();
        let certificate = named("One", CA).self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        let cut = &pem[..pem.len() - 40];
        let broken = pem.replace("MII", "AAA");
        for (bytes, says) in [
            (&b""[..], "is empty"),
            (b"\n \n", "is empty"),
            (key.serialize_pem().as_bytes(), "a private key, and no certificate"),
            (&der, "may be DER"),
            (b"Dear admin, find the certificate below.", "holds no certificate in PEM"),
            (cut.as_bytes(), "certificate 1 of the file is damaged"),
            (broken.as_bytes(), "certificate 1 of the file cannot be read"),
            (&[0xff, 0xfe, 0x00], "holds no certificate in PEM"),
        ] {
            assert!(refusal(bytes).contains(says), "{says}: {}", refusal(bytes));
        }
        let key = key.serialize_pem();
        assert!(!refusal(key.as_bytes()).contains(key.lines().nth(1).unwrap()));
    }
}
