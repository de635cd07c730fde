"""The paths that the portal may write: a member's own data, and nothing else."""
from ekklesia_sync.apply import normalise
from ekklesia_sync.apply.portal_addresses import check_addresses, comparable, portal_addresses


class Path(object):
    """How one path is read from the wire member, compared, checked, and where it is written.

    `section` is `contact_info`, `member` or `addresses`; `key` the wire key inside it.
    """

    def __init__(self, section, key, comparable_form, stored_form, check):
        self.section = section
        self.key = key
        self.comparable_form = comparable_form
        self.stored_form = stored_form
        self.check = check

    def read(self, member):
        """The value in the portal's spelling."""
        if self.section == 'addresses':
            return portal_addresses(member)
        if self.section == 'contact_info':
            return self.stored_form((member.get('contact_info') or {}).get(self.key))
        return member.get(self.key)

    def touched_by(self, fields_changed):
        """Whether an outbox row's changed fields include this path."""
        if self.section == 'addresses':
            return 'local_address' in fields_changed or 'foreign_addresses' in fields_changed
        if self.section == 'contact_info':
            return self.key in (fields_changed.get('contact_info') or {})
        return self.key in fields_changed


def _contact(key, comparable_form, stored_form, check):
    return Path('contact_info', key, comparable_form, stored_form, check)


def _consent(key):
    return Path('member', key, normalise.normal_bool, normalise.normal_bool, normalise.check_bool)


WRITABLE_PATHS = {
    'profile.email': _contact('email', normalise.normal_email, normalise.normal_text, normalise.check_email),
    'profile.phone': _contact('phone', normalise.normal_phone, normalise.normal_phone, normalise.check_phone),
    'profile.foreign_phone': _contact(
        'foreign_phone', normalise.normal_phone, normalise.normal_phone, normalise.check_phone),
    'profile.facebook': _contact('facebook', normalise.normal_text, normalise.normal_text, normalise.check_text),
    'profile.reachable': _consent('reachable'),
    'profile.groupable': _consent('groupable'),
    'profile.addresses': Path('addresses', None, comparable, lambda value: value, check_addresses),
}
