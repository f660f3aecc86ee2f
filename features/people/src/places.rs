//! Countries and time zones that an account or a person may name.

use http_kit::Fields;

/// ISO 3166-1 alpha-2, in alphabetical order.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI \
    BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY \
    CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN \
    GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL \
    PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN \
    VU WF WS YE YT ZA ZM ZW";

/// Checks a country. Code: `unknown_country`.
pub(crate) fn country(fields: &mut Fields, field: &str, code: &str) {
    let known = code.len() == 2 && COUNTRIES.split(' ').any(|country| country == code);
    fields.check(field, known, "unknown_country", "Two capital letters of ISO 3166.");
}

/// Checks a time zone. Code: `unknown_time_zone`.
pub(crate) fn time_zone(fields: &mut Fields, field: &str, name: &str) {
    let known = jiff::tz::TimeZone::get(name).is_ok_and(|zone| zone.iana_name().is_some());
    fields.check(field, known, "unknown_time_zone", "A name of the IANA time zone database.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_known_by_their_standard_names() {
        let ok = |check: fn(&mut Fields, &str, &str), name: &str| {
            let mut fields = Fields::new();
            check(&mut fields, "f", name);
            fields.is_empty()
        };
        assert_eq!(COUNTRIES.split_whitespace().count(), 249);
        for right in ["UA", "UZ", "VN"] {
            assert!(ok(country, right), "{right}");
        }
        for wrong in ["", "ua", "XX", "U", "UA UZ", "A A"] {
            assert!(!ok(country, wrong), "{wrong}");
        }
        for right in ["Europe/Kyiv", "Asia/Tashkent", "UTC"] {
            assert!(ok(time_zone, right), "{right}");
        }
        for wrong in ["", "Mars/Base", "+03:00", "../etc/passwd"] {
            assert!(!ok(time_zone, wrong), "{wrong}");
        }
    }
}
