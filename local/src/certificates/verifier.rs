//! TLS that says what is wrong with a certificate. Rustls does not tell who issued the certificate that it refuses.

use super::{Authorities, CertificateFault};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::sync::Arc;

/// TLS that trusts the system's authorities and these.
pub fn client_config(authorities: &Authorities) -> Result<ClientConfig, Error> {
    let provider = Arc::new(default_provider());
    let given = authorities.certificates().cloned();
    let platform = rustls_platform_verifier::Verifier::new_with_extra_roots(given, provider.clone())?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier(platform)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The system's verifier. It decides alone; only its refusals are put into other words.
#[derive(Debug)]
struct Verifier(rustls_platform_verifier::Verifier);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            Error::InvalidCertificate(error) => {
                let fault = CertificateFault::of(&error, end_entity, intermediates);
                CertificateError::Other(OtherError(Arc::new(fault))).into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::Authority;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

    const CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);
    /// Noon of the first of January 2030.
    const NOW: u64 = 1_893_499_200;

    fn certificate(name: &str, is_ca: IsCa, years: (i32, i32)) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["chat.example.com".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = is_ca;
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 12, 31);
        params
    }

    /// What is said of a chain for a host, if this authority is trusted.
    fn fault(trusted: &str, chain: &[CertificateDer<'static>], host: &'static str) -> CertificateFault {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, trusted.as_bytes()).unwrap();
        let authorities: Authorities = Authority::read(file.path().to_str().unwrap()).unwrap().into();
        let given = authorities.certificates().cloned();
        let provider = Arc::new(default_provider());
        let platform = rustls_platform_verifier::Verifier::new_with_extra_roots(given, provider).unwrap();
        let (own, more) = chain.split_first().unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
        let host = ServerName::try_from(host).unwrap();
        let refused = Verifier(platform).verify_server_cert(own, more, &host, &[], now).unwrap_err();
        let wrapped = std::io::Error::other(refused);
        CertificateFault::behind(&wrapped).cloned().unwrap()
    }

    #[test]
    fn each_fault_of_a_certificate_is_told_with_the_names_that_help() {
        let [root_key, middle_key, key] = std::array::from_fn(|_| KeyPair::generate().unwrap());
        let always = (2000, 2100);
        let root = certificate("Example Root", CA, always);
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let root = Issuer::new(root, root_key);
        let middle = certificate("Example Issuing", CA, always);
        let middle_der = middle.signed_by(&middle_key, &root).unwrap().der().clone();
        let middle = Issuer::new(middle, middle_key);
        let leaf =
            |years| certificate("chat", IsCa::NoCa, years).signed_by(&key, &middle).unwrap().der().clone();
        let other = certificate("Other Root", CA, always).self_signed(&key).unwrap().pem();
        let own = certificate("chat", IsCa::NoCa, always).self_signed(&key).unwrap().der().clone();
        let authority = certificate("chat", CA, always).self_signed(&key).unwrap().der().clone();
        let good = [leaf(always), middle_der.clone()];
        let chat = "chat.example.com";
        for (said, expected) in [
            (
                fault(&other, &good, chat),
                "comes from \"Example Root\", an authority that this machine does not",
            ),
            // The server forgot its intermediate certificate.
            (fault(&root_pem, &good[..1], chat), "comes from \"Example Issuing\", an authority"),
            (fault(&other, &[own], chat), "is signed by itself (\"chat\")"),
            (fault(&other, &[authority], chat), "is that of an authority (\"chat\")"),
            (fault(&root_pem, &[leaf((2000, 2029)), middle_der.clone()], chat), "has expired"),
            (fault(&root_pem, &[leaf((2031, 2100)), middle_der], chat), "is not valid yet"),
            (fault(&root_pem, &good, "mail.example.com"), "is for other names"),
            (fault(&root_pem, &[vec![0x30, 0x00].into()], chat), "is not valid ("),
        ] {
            assert!(said.to_string().contains(expected), "{expected}: {said}");
            assert!(said.fix().ends_with('.'), "{}", said.fix());
        }
    }
}
