"""Personal data that rules can find: by its form, and by its check digits where it has them.

Rules are kept where the form alone tells; names need a model (`names.py`). Sources: ISO/IEC 7812 for card
numbers, ISO 13616 for bank accounts, the Social Security Administration for what numbers it gives out.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from text2sql.guardrail.policy import PersonalKind

Span: TypeAlias = tuple[int, int]
Finder: TypeAlias = Callable[[str], Iterator[Span]]

_DASH = r"\-\u2010-\u2015\u2212"
# No area 000, 666 or 9xx, no group 00, no serial 0000 is given out.
_SSN_DIGITS = r"(?!000|666|9)\d{3}(?P<gap>%s)(?!00)\d{2}(?P=gap)(?!0000)\d{4}"
_SSN = re.compile(rf"(?<!\d)(?<!\d-){_SSN_DIGITS % f'[{_DASH} .]'}(?!\d)(?!-\d)")
_TOLD_SSN = re.compile(
    rf"\b(?:ssns?|social(?: security)?(?: (?:number|no\.?))?)\b\W{{0,3}}"
    r"(?:(?:is|of|number|no\.?|#) ?)*\W{0,2}"
    rf"(?P<value>{_SSN_DIGITS % ''}|\d(?:[ {_DASH}.]{{1,3}}\d){{8}})(?!\d)",
    re.IGNORECASE,
)
_SPACED_SSN = re.compile(rf"(?<!\d)\d \d \d ?[{_DASH}] ?\d \d ?[{_DASH}] ?\d \d \d \d(?!\d)")

_AT = r"(?:@|\s?[(\[{]\s?at\s?[)\]}]\s?|\s@\s)"
_DOT = r"(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)"
_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,4}}{_DOT}[a-z]{{2,24}}\b"
    r"|\b[\w.+-]{1,64} at [\w-]{1,63}(?: dot [\w-]{1,63}){0,3} dot [a-z]{2,24}\b",
    re.IGNORECASE,
)
_CARD = re.compile(rf"(?<![\d.])(?:\d[ {_DASH}.]?){{12,18}}\d(?!\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b", re.IGNORECASE)
_PHONE = re.compile(
    rf"(?<![\w.])(?:\+\d{{1,3}}[ {_DASH}.]?(?:\(\d{{1,4}}\)[ {_DASH}.]?)?"
    rf"\d{{1,4}}(?:[ {_DASH}./]?\d{{2,4}}){{1,4}}"
    rf"|\(0\d{{2,4}}\) ?\d{{3,4}}[ {_DASH}]?\d{{3,4}}|\(\d{{3}}\) ?\d{{3}}[ {_DASH}.]\d{{4}}"
    rf"|(?:1[{_DASH}.])?\d{{3}}([{_DASH}. ])\d{{3}}\1\d{{4}}"
    rf"|0\d{{2,4}}[ /{_DASH}]\d{{3,4}}(?:[ {_DASH}]?\d{{2,4}}){{0,2}})(?![\w-])"
)
_TOLD_PHONE = re.compile(
    r"\b(?:phone|telephone|mobile|cell|fax|tel)\b(?: (?:number|no\.?|is|of))*\W{0,3}"
    r"(?P<value>\+?\d[\d ()./-]{5,18}\d)",
    re.IGNORECASE,
)
_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=\S*::|(?:\S*:){7})[0-9a-f:]{3,39})(?![\w:]|\.\d)",
    re.IGNORECASE,
)
_MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])", re.IGNORECASE)
_ACCESS_KEY = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
# In small letters "place" and its kin are ordinary words: "100 trips took place".
_STREET = (
    r"(?:(?i:street|avenue|ave|road|boulevard|blvd|lane|terrace|parkway|pkwy|highway|hwy|crescent)"
    r"|St|Rd|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Circle|Close)"
)
_ADDRESS = re.compile(
    rf"\b\d{{1,5}}[a-z]? (?:[A-Za-z][\w.'-]* ){{1,4}}{_STREET}\b\.?"
    r"(?:,? (?i:apt|apartment|suite|unit|#) ?\w+)?"
    r"(?:,? [A-Z][\w'-]+(?: [A-Z][\w'-]+)?,? (?:[A-Z]{2} )?\d{5}(?:-\d{4})?)?"
    r"|\b[A-Z][\w-]*(?:straße|strasse|str\.|weg|gasse|platz|allee) \d{1,4}[a-z]?\b"
    r"|\b(?i:P\.? ?O\.? Box) \d+\b"
)


def _card_numbers(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if digits[0] in "23456" and len(set(digits)) > 1 and _luhn(digits):
            yield found.span()


def _luhn(digits: str) -> bool:
    """Tell whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004


def _ibans(text: str) -> Iterator[Span]:
    """Yield account numbers; what follows one may look like more of it, so shorter ones are tried."""
    for found in _IBAN.finditer(text):
        for end in range(found.end(), found.start() + 14, -1):
            account = re.sub(r"[ -]", "", text[found.start() : end]).upper()
            if text[end - 1].isalnum() and (end == len(text) or not text[end].isalnum()) and _mod_97(account):
                yield found.start(), end
                break


def _mod_97(account: str) -> bool:
    """Tell whether the two check digits fit the rest (ISO 13616)."""
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def _ip_addresses(text: str) -> Iterator[Span]:
    for found in _IP.finditer(text):
        try:
            ipaddress.ip_address(found[0])
        except ValueError:
            continue
        yield found.span()


def _secret_keys(text: str) -> Iterator[Span]:
    for found in _SECRET_KEY.finditer(text):
        if all(any(test(sign) for sign in found[0]) for test in (str.isupper, str.islower, str.isdigit)):
            yield found.span()


def _by(*patterns: re.Pattern[str]) -> Finder:
    """Return what finds any of the patterns; where one has a group `value`, that is what counts."""

    def find(text: str) -> Iterator[Span]:
        for pattern in patterns:
            group = "value" if "value" in pattern.groupindex else 0
            yield from (found.span(group) for found in pattern.finditer(text))

    return find


FINDERS: Mapping[PersonalKind, Finder] = {
    "AWS_ACCESS_KEY": _by(_ACCESS_KEY),
    "AWS_SECRET_KEY": _secret_keys,
    "EMAIL": _by(_EMAIL),
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": _ibans,
    "CREDIT_DEBIT_CARD_NUMBER": _card_numbers,
    "MAC_ADDRESS": _by(_MAC),
    "IP_ADDRESS": _ip_addresses,
    "US_SOCIAL_SECURITY_NUMBER": _by(_SSN, _TOLD_SSN, _SPACED_SSN),
    "PHONE": _by(_PHONE, _TOLD_PHONE),
    "ADDRESS": _by(_ADDRESS),
}
"""What each kind of personal data is found by; where two overlap, the earlier kind is told."""
