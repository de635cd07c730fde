"""A member who registered in the portal, where the registry allows it (ALLOW_CREATE)."""
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date

from ekklesia_sync import conf
from ekklesia_sync.apply.errors import ChangeError
from ekklesia_sync.apply.normalise import check_text
from ekklesia_sync.sections import get_sections

GENDERS = ('unknown', 'male', 'female', 'other')
HOUSING = ('unknown', 'owner', 'rental', 'cooperative', 'family', 'other', 'homeless')


def split_create(changes):
    """(the new member's own fields as wire values, the paths that the ordinary way writes afterwards)."""
    own, rest = {}, {}
    for path, value in changes.items():
        key = path.partition('.')[2]
        if path in ('profile.name', 'profile.birthday', 'profile.gender', 'profile.housing_situation'):
            own[key] = _wire_value(path, key, value)
        else:
            rest[path] = value
    if not own.get('name'):
        raise ChangeError('invalid_value', 'profile.name is missing')
    return own, rest


def create_member(ssn, own, using):
    """Saves the new member and answers the primary key. Consents start as false, never as the model's default."""
    section = get_sections()[0]
    values = dict(own, ssn=ssn, reachable=False, groupable=False)
    instance = section.model(**{section.fields[key]: value for key, value in values.items() if key in section.fields})
    try:
        instance.full_clean()
    except ValidationError as error:
        problems = getattr(error, 'error_dict', {})
        raise ChangeError('invalid_value', 'not valid: {}'.format(', '.join(sorted(problems)))) from None
    instance.save(using=using)
    return instance.pk


def assert_create_allowed():
    if not conf.get('ALLOW_CREATE'):
        raise ChangeError('action_not_allowed', 'this registry takes no new members from the portal')


def _wire_value(path, key, value):
    try:
        if key == 'gender':
            return GENDERS.index(value)
        if key == 'housing_situation':
            return HOUSING.index(value)
        if key == 'birthday':
            parsed = parse_date(value) if value else None
            if value and parsed is None:
                raise ValueError
            return parsed
        text = value.strip()
    except (ValueError, TypeError, AttributeError):
        raise ChangeError('invalid_value', '{} is not a value that the registry knows'.format(path)) from None
    check_text(path, text)
    return text
