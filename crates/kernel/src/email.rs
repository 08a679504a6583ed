//! E-mail addresses, in the form they are kept in.

/// An address lower-cased and trimmed, or what is wrong with it. Whether it exists only a mail can tell.
///
/// # Errors
/// One sentence without its subject: `is no e-mail address`.
pub fn parse(email: &str) -> Result<String, &'static str> {
    let email = email.trim().to_lowercase();
    if email.len() > 254 {
        return Err("is longer than 254 characters");
    }
    // A line break here would write headers into mails later.
    if email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("takes no spaces or line breaks");
    }
    match email.split_once('@') {
        Some((name, host)) if !name.is_empty() && is_host(host) => Ok(email),
        _ => Err("is no e-mail address"),
    }
}

/// A domain in the form it is kept in, such as `example.com`; `None` when it is none.
pub fn parse_domain(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_start_matches('@').to_lowercase();
    let is_plain = domain.len() <= 253 && !domain.chars().any(|c| c.is_whitespace() || c.is_control());
    (is_plain && is_host(&domain)).then_some(domain)
}

/// The domain of an address that was parsed.
pub fn domain_of(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, host)| host)
}

fn is_host(host: &str) -> bool {
    !host.contains('@') && (host == "localhost" || host.split('.').count() > 1 && host.split('.').all(|label| !label.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_name_and_one_host() {
        assert_eq!(parse(" Ada@Example.COM "), Ok("ada@example.com".to_owned()));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@b@c.de",
            "ada@host",
            "a da@example.com",
            "ada@example.com\nBcc: x@y.z",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&format!("{}@example.com", "x".repeat(250))).is_err());
    }

    #[test]
    fn a_domain_is_compared_whole() {
        assert_eq!(parse_domain("@Example.com"), Some("example.com".to_owned()));
        for bad in ["", "example", "a b.com", "x@example.com", ".com"] {
            assert_eq!(parse_domain(bad), None, "{bad:?}");
        }
        assert_eq!(domain_of("ada@evil-example.com"), "evil-example.com");
    }
}
