"""Writes the portal's addresses to the registry's tables, through the mapping.

An address that is no longer in the list becomes a former one where the mapping filters by such a flag
(`filter: {'current': True}`), so the registry keeps its history; otherwise its row is deleted. A registry
whose tables do not fit names its own function in ADDRESS_WRITER.
"""
import re

from django.db import IntegrityError, transaction
from django.db.models import Model, Q
from django.db.models.constants import LOOKUP_SEP

from ekklesia_sync.apply.errors import ChangeError
from ekklesia_sync.apply.portal_addresses import HOME, comparable, portal_addresses
from ekklesia_sync.sections import get_sections

_ROW_NUMBER = re.compile(r'[0-9]{1,9}\Z')
LOCAL_KEYS = ('street', 'number', 'letter', 'postal_code', 'city')


def write_addresses(member_pk, member, addresses, using):
    """Makes the registry's addresses equal to the list. `member` is the wire member as it is now.

    Raises ChangeError: unknown_address (no such street, house or country), address_unsupported (the
    mapping has no such section).
    """
    sections = {section.name: section for section in get_sections()}
    wanted_home = [each for each in addresses if (each.get('country') or HOME) == HOME]
    wanted_foreign = [each for each in addresses if each not in wanted_home]
    current = portal_addresses(member)
    current_home = [each for each in current if each['country'] == HOME]
    if _without_default(wanted_home) != _without_default(current_home):
        _write_home(sections.get('local_address'), member_pk, wanted_home, using)
    _write_foreign(sections.get('foreign_addresses'), member_pk, member, wanted_foreign, using)


def _write_home(section, member_pk, wanted, using):
    _assert_section(section)
    values = _home_values(section, wanted[0], using) if wanted else None
    _retire(section, _rows(section, member_pk, using), using)
    if values is not None:
        _add(section, member_pk, values, using)


def _home_values(section, address, using):
    """The new row's attributes: the house that the address names, or the texts themselves."""
    paths = {key: section.fields[key] for key in LOCAL_KEYS if key in section.fields}
    first_steps = {path.split(LOOKUP_SEP)[0] for path in paths.values()}
    if all(LOOKUP_SEP not in path for path in paths.values()):
        return {path: address.get(key) for key, path in paths.items()}
    if len(first_steps) != 1:
        raise ChangeError('address_unsupported', 'the mapping needs an ADDRESS_WRITER of its own')
    step = first_steps.pop()
    house_model = section.row_model._meta.get_field(step).related_model
    rest = {key: path.split(LOOKUP_SEP, 1)[1] for key, path in paths.items()}
    return {step: _find_house(house_model, rest, address, using)}


def _find_house(model, paths, address, using):
    # The city follows from the street and its postal code; its spelling is not the member's to decide.
    where = Q()
    for key in ('street', 'number', 'letter', 'postal_code'):
        if key not in paths:
            continue
        value = address.get(key)
        if value in (None, ''):
            empty = Q(**{paths[key] + '__isnull': True})
            where &= empty | Q(**{paths[key]: ''}) if key == 'letter' else empty
        elif key in ('street', 'letter'):
            where &= Q(**{paths[key] + '__iexact': value.strip()})
        else:
            where &= Q(**{paths[key]: value})
    try:
        house = model._base_manager.using(using).filter(where).order_by('pk').first()
    except (ValueError, OverflowError):
        house = None
    if house is None:
        raise ChangeError('unknown_address', 'the registry knows no such street, number and postal code')
    return house


def _write_foreign(section, member_pk, member, wanted, using):
    if section is None and not wanted:
        return
    _assert_section(section)
    # The default comes first: without an Icelandic address, the first row is what the registry shows as default.
    missing = sorted(wanted, key=lambda address: not address.get('is_default'))
    kept = []
    for row in member.get('foreign_addresses') or []:
        shown = portal_addresses({'foreign_addresses': [row]})
        same = [each for each in missing if _without_default([each]) == _without_default(shown)]
        if same:
            missing.remove(same[0])
            kept.append((row['pk'], same[0]))
    if missing and missing[0].get('is_default') or not _default_leads(kept):
        missing = sorted(wanted, key=lambda address: not address.get('is_default'))
        kept = []
    kept_pks = [pk for pk, _ in kept]
    _retire(section, [row for row in _rows(section, member_pk, using) if row.pk not in kept_pks], using)
    for address in missing:
        _add(section, member_pk, _foreign_values(section, address, using), using)


def _default_leads(kept):
    """Whether no address that is kept stands before the default one."""
    defaults = [bool(address.get('is_default')) for _, address in kept]
    return True not in defaults or defaults[0]


def _foreign_values(section, address, using):
    fields = section.fields
    step = fields['country']
    country = address.get('country') or ''
    model = section.row_model._meta.get_field(step).related_model
    # The number of the registry's own row; no list of ISO codes is guessed at.
    found = model._base_manager.using(using).filter(pk=int(country)).first() if _ROW_NUMBER.match(country) else None
    if found is None:
        raise ChangeError('unknown_address', 'the registry knows no such country')
    values = {
        fields['address']: address['street'].strip(),
        fields['municipality']: (address.get('city') or '').strip(),
        fields['postal_code']: (address.get('postal_code') or '').strip(),
        step: found,
    }
    if 'current' in fields:
        values[fields['current']] = True
    return values


def _rows(section, member_pk, using):
    where = dict(section.row_filter, **{section.owner_field.name: member_pk})
    return list(section.row_model._base_manager.using(using).filter(**where))


def _retire(section, rows, using):
    for row in rows:
        if 'current' in section.row_filter:
            row.current = False
            row.save(using=using)
        else:
            row.delete(using=using)


def _add(section, member_pk, values, using):
    row = section.row_model()
    row._state.db = using
    filled = dict(values, **_values_of_filter(section, using))
    filled[section.owner_field.name] = member_pk
    for name, value in filled.items():
        field = row._meta.get_field(name)
        is_key = field.is_relation and not isinstance(value, Model)
        setattr(row, field.attname if is_key else field.name, value)
    # What neither the change nor the mapping says is not judged: a form of the registry may ask for more.
    named = {row._meta.get_field(name).name for name in filled}
    row.full_clean(exclude=[field.name for field in row._meta.fields if field.name not in named])
    try:
        with transaction.atomic(using=using):
            row.save(using=using)
    except IntegrityError:
        raise ChangeError('address_unsupported', 'the table wants more; ADDRESS_WRITER can give it') from None


def _values_of_filter(section, using):
    """What a new row must hold so that the mapping's filter shows it: {field name: value or primary key}."""
    values = {}
    for path, value in section.row_filter.items():
        name, _, rest = path.partition(LOOKUP_SEP)
        if rest:
            model = section.row_model._meta.get_field(name).related_model
            value = model._base_manager.using(using).filter(**{rest: value}).first() if model else None
            if value is None:
                raise ChangeError('address_unsupported', 'the mapping\'s filter names nothing that a row can hold')
        values[name] = value
    return values


def _assert_section(section):
    if section is None:
        raise ChangeError('address_unsupported', 'the registry keeps no such addresses')


def _without_default(addresses):
    return comparable([dict(address, is_default=False) for address in addresses])
