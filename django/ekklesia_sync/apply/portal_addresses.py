"""Addresses in the portal's spelling, and how they follow from the registry's.

The Icelandic address comes first and is the default; then the foreign ones in the order of their ids.
Without an Icelandic address the first current one is the default. The country of a foreign one is the
number of its row in the registry's table of countries, as text: "45".
"""
import unicodedata

from ekklesia_sync.apply.errors import ChangeError
from ekklesia_sync.apply.normalise import check_text

HOME = 'IS'
TEXTS = ('street', 'letter', 'postal_code', 'city', 'country')
LONGEST_LIST = 20
LARGEST_NUMBER = 2 ** 31 - 1


def portal_addresses(member):
    """The list that the portal shows for a wire member."""
    addresses, current = [], []
    local = member.get('local_address')
    if local:
        addresses.append(_address(
            local['street'], local['number'], local['letter'], local['postal_code'], local['city'], HOME))
        current.append(True)
    for foreign in member.get('foreign_addresses') or []:
        addresses.append(_address(
            foreign['address'], None, '', foreign['postal_code'], foreign['municipality'], foreign['country']))
        current.append(foreign.get('current', True))
    if addresses:
        addresses[current.index(True) if True in current else 0]['is_default'] = True
    return addresses


def comparable(addresses):
    """What makes two lists the same. An Icelandic city follows from its postal code and is left out."""
    if not isinstance(addresses, list):
        return addresses or []
    keys = []
    for address in addresses:
        folded = {key: _folded(address.get(key)) for key in TEXTS}
        city = '' if folded['country'] in ('', HOME.lower()) else folded['city']
        keys.append((
            folded['country'] or HOME.lower(), folded['street'], str(address.get('number') or ''), folded['letter'],
            folded['postal_code'], city, bool(address.get('is_default'))))
    return sorted(keys)


def check_addresses(path, addresses):
    """Raises ChangeError unless the registry can hold this list and would show the same one again."""
    if not isinstance(addresses, list) or len(addresses) > LONGEST_LIST:
        raise ChangeError('invalid_value', '{} must be a list of at most {}'.format(path, LONGEST_LIST))
    for address in addresses:
        _check_address(path, address)
    if addresses and sum(1 for address in addresses if address.get('is_default')) != 1:
        raise ChangeError('invalid_value', '{} must have exactly one default'.format(path))
    home = [address for address in addresses if (address.get('country') or HOME) == HOME]
    if len(home) > 1:
        raise ChangeError('address_unsupported', 'the registry keeps one Icelandic address')
    if home and not home[0].get('is_default'):
        raise ChangeError('address_unsupported', 'the Icelandic address is the registry\'s default')


def _folded(text):
    return unicodedata.normalize('NFC', str(text or '')).strip().lower()


def _check_address(path, address):
    if not isinstance(address, dict):
        raise ChangeError('invalid_value', '{} must hold maps'.format(path))
    for key in TEXTS:
        if address.get(key) is not None:
            check_text('{}: {}'.format(path, key), address[key])
    number = address.get('number')
    is_whole = isinstance(number, int) and not isinstance(number, bool)
    if number is not None and not (is_whole and 0 <= number <= LARGEST_NUMBER):
        raise ChangeError('invalid_value', '{}: number must be a whole number or null'.format(path))
    if not (address.get('street') or '').strip():
        raise ChangeError('invalid_value', '{}: street is missing'.format(path))


def _address(street, number, letter, postal_code, city, country):
    return {
        'street': street or '', 'number': number, 'letter': letter or '',
        'postal_code': '' if postal_code is None else str(postal_code), 'city': city or '',
        'country': '' if country is None else str(country), 'is_default': False,
    }
