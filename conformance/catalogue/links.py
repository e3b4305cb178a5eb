"""Where a source can be read: from a citation to its address."""

from __future__ import annotations

import re
from typing import Final

_ASVS: Final = {
    "1": "0x10-V1-Encoding-and-Sanitization",
    "2": "0x11-V2-Validation-and-Business-Logic",
    "3": "0x12-V3-Web-Frontend-Security",
    "4": "0x13-V4-API-and-Web-Service",
    "6": "0x15-V6-Authentication",
    "7": "0x16-V7-Session-Management",
    "8": "0x17-V8-Authorization",
    "9": "0x18-V9-Self-contained-Tokens",
    "10": "0x19-V10-OAuth-and-OIDC",
    "11": "0x20-V11-Cryptography",
    "12": "0x21-V12-Secure-Communication",
    "13": "0x22-V13-Configuration",
    "14": "0x23-V14-Data-Protection",
    "15": "0x24-V15-Secure-Coding-and-Architecture",
    "16": "0x25-V16-Security-Logging-and-Error-Handling",
}
"""The file of each chapter."""
_API_TOP_TEN: Final = {
    "1": "0xa1-broken-object-level-authorization",
    "2": "0xa2-broken-authentication",
    "3": "0xa3-broken-object-property-level-authorization",
    "4": "0xa4-unrestricted-resource-consumption",
    "8": "0xa8-security-misconfiguration",
}
_CHEAT_SHEETS: Final = {
    "REST Security": "REST_Security",
    "Authentication": "Authentication",
    "Password Storage": "Password_Storage",
    "Session Management": "Session_Management",
    "Error Handling": "Error_Handling",
    "CSRF Prevention": "Cross-Site_Request_Forgery_Prevention",
    "JWT": "JSON_Web_Token_for_Java",
}
_DRAFTS: Final = {"rfc8725bis": "draft-ietf-oauth-rfc8725bis", "draft-ietf-oauth-v2-1": "draft-ietf-oauth-v2-1"}


_PLACES: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    (r"RFC (\d+) §([\d.]*\d)", "https://www.rfc-editor.org/rfc/rfc{0}#section-{1}", {}),
    (r"RFC (\d+) App\. ([A-Z](?:\.\d+)*)", "https://www.rfc-editor.org/rfc/rfc{0}#appendix-{1}", {}),
    (r"RFC (\d+)", "https://www.rfc-editor.org/rfc/rfc{0}", {}),
    (r"ASVS 5\.0 V(\d+)", "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/{0}.md", _ASVS),
    (r"OWASP API(\d+):2023", "https://owasp.org/API-Security/editions/2023/en/{0}/", _API_TOP_TEN),
    (r"OWASP (.+?) CS", "https://cheatsheetseries.owasp.org/cheatsheets/{0}_Cheat_Sheet.html", _CHEAT_SHEETS),
    (r"WSTG-", "https://owasp.org/www-project-web-security-testing-guide/", {}),
    (r"NIST SP 800-63B-4", "https://pages.nist.gov/800-63-4/sp800-63b.html", {}),
    (r"(rfc8725bis|draft-[\w-]+)", "https://datatracker.ietf.org/doc/{0}/", _DRAFTS),
)
"""How a citation begins, where that is, and what its first part is called there."""


def link_of(citation: str) -> str:
    """The address at which a citation such as `RFC 6749 §5.1` can be read; empty where there is none to give."""
    for beginning, address, names in _PLACES:
        if match := re.match(beginning, citation):
            first, *rest = match.groups() or ("",)
            return address.format(names.get(first, first), *rest)
    return ""
