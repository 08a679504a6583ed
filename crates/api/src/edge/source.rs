//! Where a request comes from.

use crate::state::State;
use actix_web::{HttpRequest, http::header::HeaderMap, web::Data};
use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, SocketAddr};

/// The header in which proxies write whom they were asked by, each at its end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The network that a request comes from, as it is counted and kept: an IPv4 address, or the half of an IPv6 address that
/// one household has.
pub fn source(request: &HttpRequest) -> String {
    let trusted = request
        .app_data::<Data<State>>()
        .map(|state| state.settings.edge.trusted_proxies.as_slice());
    let Some(peer) = request.peer_addr() else {
        return "unknown".to_owned();
    };
    network(client(peer.ip(), request.headers(), trusted.unwrap_or_default()))
}

/// An address as its network.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => Ipv6Net::new(v6, 64).map_or_else(|_| v6.to_string(), |net| net.trunc().to_string()),
    }
}

/// Networks as the configuration lists them, with commas between them; a lone address is a network of one.
///
/// # Errors
/// The first one that is none.
pub fn networks(list: &str) -> Result<Vec<IpNet>, String> {
    let parse = |one: &str| {
        one.parse()
            .or_else(|_| one.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| one.to_owned())
    };
    list.split(',').map(str::trim).filter(|one| !one.is_empty()).map(parse).collect()
}

/// The peer; or, when it is a proxy of ours, the last one before it that is not. What stands further left may have been
/// made up by the client.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| {
        let address = address.to_canonical();
        trusted.iter().any(|net| net.contains(&address))
    };
    if !is_trusted(peer) {
        return peer;
    }
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).map(hop).collect::<Vec<_>>();
    let mut last = peer;
    for hop in hops.into_iter().rev() {
        // What cannot be read was not written by a proxy of ours.
        let Some(address) = hop else { break };
        last = address;
        if !is_trusted(address) {
            break;
        }
    }
    last
}

/// An address as proxies write it, some with a port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn from(peer: &str, lines: &[&str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                HeaderName::from_static(FORWARDED_FOR),
                HeaderValue::from_str(line).expect("a header"),
            );
        }
        network(client(
            peer.parse().expect("an address"),
            &headers,
            &networks(trusted).expect("networks"),
        ))
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_where_a_request_comes_from() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], ""), "192.0.2.1");
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], "10.0.0.0/8"), "192.0.2.1");
        assert_eq!(from("10.1.2.3", &["198.51.100.7"], "10.0.0.0/8"), "198.51.100.7");
        assert_eq!(from("::ffff:10.1.2.3", &["198.51.100.7"], "10.0.0.0/8"), "198.51.100.7");
        assert_eq!(from("10.1.2.3", &[], "10.0.0.0/8"), "10.1.2.3");
    }

    #[test]
    fn what_a_client_makes_up_is_left_of_what_the_proxy_saw() {
        let trusted = "10.0.0.0/8, 2001:db8:f::/48";
        assert_eq!(from("10.0.0.1", &["1.1.1.1, 198.51.100.7"], trusted), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"], trusted), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "198.51.100.7", "10.0.0.2"], trusted), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["198.51.100.7:4711"], trusted), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["[2001:db8::1]:4711"], trusted), "2001:db8::/64");
        for junk in ["", "unknown", "1.1.1.1, <script>", "1.1.1.1, ", "_hidden"] {
            assert_eq!(from("10.0.0.1", &[junk], trusted), "10.0.0.1", "{junk:?}");
        }
    }

    #[test]
    fn a_household_is_one_however_many_addresses_it_has() {
        assert_eq!(from("2001:db8:1:2:3:4:5:6", &[], ""), from("2001:db8:1:2::9", &[], ""));
        assert_ne!(from("2001:db8:1:2::9", &[], ""), from("2001:db8:1:3::9", &[], ""));
        assert_eq!(from("::ffff:192.0.2.1", &[], ""), "192.0.2.1");
    }

    #[test]
    fn a_list_of_networks_names_what_is_none() {
        assert_eq!(networks("10.0.0.0/8,::1 , 192.0.2.1").map(|all| all.len()), Ok(3));
        assert_eq!(networks("10.0.0.0/8, proxy.example.com"), Err("proxy.example.com".to_owned()));
        assert_eq!(networks("10.0.0.0/33"), Err("10.0.0.0/33".to_owned()));
    }
}
