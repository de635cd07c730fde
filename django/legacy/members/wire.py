"""A member on the wire, in the spelling of the list and the webhook, and in the flat one of the single-member call."""
from members.models import Comrade

RELATED = (
    'contact_info', 'newlocaladdress_set__address__street__postal_code__municipalitypostalcode_set__municipality',
    'newforeignaddress_set', 'union_memberships__union', 'comradetitles__title')


def with_related(rows):
    return rows.prefetch_related(*RELATED)


def whole_member(pk):
    return as_member(with_related(Comrade.objects.filter(pk=pk)).get())


def as_member(comrade):
    """What the list and the webhook say."""
    return dict(
        _own_fields(comrade), id=comrade.pk, contact_info=_contact(comrade), local_address=_local_address(comrade),
        foreign_addresses=[{
            'pk': row.pk, 'country': row.country_id, 'current': row.current, 'municipality': row.municipality,
            'postal_code': row.postal_code, 'address': row.address,
        } for row in comrade.newforeignaddress_set.all()],
        unions=[{'name': row.union.name} for row in comrade.union_memberships.all()],
        titles=[{'name': row.title.name} for row in comrade.comradetitles.all()])


def as_flat_member(comrade):
    """No id, version, unions, titles, foreign address or facebook; e-mail and address from the older tables."""
    member = _own_fields(comrade)
    email = comrade.emails.first()
    if email:
        member['email'] = email.email
    phone = _contact(comrade).get('phone')
    if phone:
        member['phone'] = phone
    address = comrade.simpleaddress_set.first()
    if address:
        member.update(street_address=address.street_address, postal_code=address.postal_code, city=address.city)
    return member


def _own_fields(comrade):
    return {
        'ssn': comrade.ssn, 'name': comrade.name,
        'birthday': comrade.birthday.isoformat() if comrade.birthday else None,
        'gender': comrade.gender, 'housing_situation': comrade.housing_situation,
        'reachable': comrade.reachable, 'groupable': comrade.groupable,
        'date_joined': comrade.date_joined.isoformat(),
    }


def _contact(comrade):
    row = getattr(comrade, 'contact_info', None)
    if row is None:
        return {}
    return {'email': row.email, 'phone': row.phone, 'foreign_phone': row.foreign_phone, 'facebook': row.facebook}


def _local_address(comrade):
    current = [row for row in comrade.newlocaladdress_set.all() if row.current and row.address]
    if not current:
        return {}
    house = current[0].address
    postal_code = house.street.postal_code
    cities = [row.municipality.name for row in postal_code.municipalitypostalcode_set.all()] if postal_code else []
    return {
        'street': house.street.name, 'number': house.number, 'letter': house.letter,
        'postal_code': postal_code.code if postal_code else '', 'city': cities[0] if cities else '',
    }
