"""Values as they are compared: two spellings of one phone number are no conflict, nor are null and ''.

`normal_*` is lenient (the registry's old data goes through it); `check_*` is strict, for what a change writes.
"""
import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from ekklesia_sync.apply.errors import ChangeError

_LOCAL_PHONE = re.compile(r'\d{7}\Z')
# E.164: at most 15 digits after the plus.
_FOREIGN_PHONE = re.compile(r'\+[1-9]\d{4,14}\Z')


def normal_text(value):
    """Without outer spaces and in NFC: a letter typed as two characters is the same letter."""
    if value is None:
        return ''
    return unicodedata.normalize('NFC', value).strip() if isinstance(value, str) else value


def normal_email(value):
    text = normal_text(value)
    return text.lower() if isinstance(text, str) else text


def normal_phone(value):
    """Seven digits for an Icelandic number, +… for a foreign one; what is neither stays as it is."""
    text = normal_text(value)
    if not isinstance(text, str):
        return text
    bare = re.sub(r'[\s()./\-\u2010-\u2015]', '', text)
    if bare.startswith('00'):
        bare = '+' + bare[2:]
    icelandic = re.match(r'\+?354(\d{7})\Z', bare)
    if icelandic:
        bare = icelandic.group(1)
    return bare if _LOCAL_PHONE.match(bare) or _FOREIGN_PHONE.match(bare) else text


def normal_bool(value):
    return value


def check_text(path, value):
    if not isinstance(value, str):
        raise ChangeError('invalid_value', '{} must be text'.format(path))
    if not is_storable(value):
        raise ChangeError('invalid_value', '{} holds a character that no store keeps'.format(path))


def is_storable(text):
    """Whether every store holds this text: no control characters (NUL is refused by PostgreSQL, others by forms), no
    half of a pair of surrogates (UTF-8 has none)."""
    return not any(unicodedata.category(each) in ('Cc', 'Cs') for each in text)


def check_email(path, value):
    check_text(path, value)
    try:
        if value:
            validate_email(value)
    except ValidationError:
        raise ChangeError('invalid_value', '{} is not an e-mail address'.format(path)) from None


def check_phone(path, value):
    check_text(path, value)
    if value and not _LOCAL_PHONE.match(value) and not _FOREIGN_PHONE.match(value):
        raise ChangeError('invalid_value', '{} is not seven digits or + and a foreign number'.format(path))


def check_bool(path, value):
    # A consent that is not said is never taken as given.
    if not isinstance(value, bool):
        raise ChangeError('invalid_value', '{} must be true or false'.format(path))
