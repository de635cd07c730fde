"""Writes checked values through the registry's own models, with their validation and their signals."""
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

from ekklesia_sync import conf
from ekklesia_sync.apply.errors import ChangeError
from ekklesia_sync.apply.paths import WRITABLE_PATHS
from ekklesia_sync.sections import get_sections


def write_values(member_pk, member, values, using):
    """Writes {portal path: stored form} to the member with this primary key.

    Raises ChangeError(invalid_value) with the model's own error codes by path, never with the value.
    """
    contact, scalars = {}, {}
    for name, value in values.items():
        path = WRITABLE_PATHS[name]
        if path.section == 'contact_info':
            contact[path.key] = (name, value)
        elif path.section == 'member':
            scalars[path.key] = (name, value)
    if scalars:
        _write_member(member_pk, scalars, using)
    if contact:
        _write_contact(member_pk, contact, using)
    if 'profile.addresses' in values:
        try:
            import_string(conf.get('ADDRESS_WRITER'))(member_pk, member, values['profile.addresses'], using)
        except ValidationError as error:
            raise _invalid(error, {}, 'profile.addresses') from None


def _write_member(member_pk, scalars, using):
    section = get_sections()[0]
    # No row lock: it would wait for every transaction that has inserted a row pointing at the member, and
    # one of those may be waiting for the lock on the version that is held here. Only the changed columns
    # are written instead, so that nothing else is overwritten.
    instance = section.model._base_manager.using(using).get(pk=member_pk)
    moments = [field.name for field in instance._meta.concrete_fields if getattr(field, 'auto_now', False)]
    _set_and_save(instance, section.fields, scalars, using, moments)


def _write_contact(member_pk, contact, using):
    section = {each.name: each for each in get_sections()}.get('contact_info')
    if section is None:
        raise ChangeError('not_writable', 'the registry keeps no contact info')
    owner = section.owner_field
    rows = section.row_model._base_manager.using(using).filter(**{owner.name: member_pk})
    row = rows.select_for_update().first()
    if row is None:
        row = section.row_model(**{owner.attname: member_pk})
    _set_and_save(row, section.fields, contact, using)


def _set_and_save(instance, fields, values, using, moments=None):
    """Saves the whole row, or, with `moments` (fields that note the time of a save), only what changed and those."""
    names = {}
    for key, (path, value) in values.items():
        attribute = fields.get(key, '')
        if not attribute or '__' in attribute:
            raise ChangeError('not_writable', '{} is not mapped to a field of its own'.format(path))
        setattr(instance, attribute, value)
        names[attribute] = path
    others = [field.name for field in instance._meta.fields if field.name not in names]
    try:
        # What the change does not touch is not judged: an old blank name must not keep a member from
        # correcting an e-mail address.
        instance.full_clean(exclude=others)
    except ValidationError as error:
        raise _invalid(error, names, sorted(names.values())[0]) from None
    instance.save(using=using, update_fields=None if moments is None else sorted(names) + moments)


def _invalid(error, names, default_path):
    found = []
    by_field = error.error_dict if hasattr(error, 'error_dict') else {'__all__': error.error_list}
    for field, problems in by_field.items():
        codes = sorted({problem.code or 'invalid' for problem in problems})
        found.append('{}: {}'.format(names.get(field, default_path), ', '.join(codes)))
    return ChangeError('invalid_value', '; '.join(sorted(found)))
