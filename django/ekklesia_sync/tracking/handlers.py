"""What happens around each save, delete and many-to-many change.

Each handler takes the lock and looks at the members before the write, looks again after it, and records
the difference. A save that changes nothing on the wire records nothing.
"""
from ekklesia_sync.tracking.lock import lock_members
from ekklesia_sync.tracking.memo import transaction_memo
from ekklesia_sync.tracking.members import (
    counting, lock_and_load, record_difference, record_gone, record_own, record_section_for)


class MemberHandler(object):
    """The member itself."""

    def __init__(self, section):
        self.section = section

    def pre_save(self, instance, using, **kwargs):
        self._look(instance, using)

    def post_save(self, instance, using, **kwargs):
        before, did_count = instance.__dict__.pop('_ekklesia_before', (None, False))
        after = self.section.load([instance.pk], using).get(instance.pk)
        if after is None:
            return
        ssn = after['ssn']
        old_ssn = before['ssn'] if before else ssn
        if old_ssn == ssn and before:
            record_own(self.section, instance.pk, before, after, did_count, using)
            return
        # A corrected kennitala is another document in the portal: the old one goes, the new one comes.
        lock_members([old_ssn, ssn], using)
        if did_count:
            record_gone(old_ssn, None, using)
        record_own(self.section, instance.pk, None, after, False, using)

    def pre_delete(self, instance, using, **kwargs):
        self._look(instance, using)

    def post_delete(self, instance, using, **kwargs):
        before, did_count = instance.__dict__.pop('_ekklesia_before', (None, False))
        if did_count:
            record_gone(before['ssn'], instance.pk, using)

    def _look(self, instance, using):
        pk = instance.pk
        before = lock_and_load(self.section, [pk], using).get(pk)
        instance._ekklesia_before = before, bool(before) and pk in counting({pk: before['ssn']}, using)


class RowHandler(object):
    """A row that belongs to one member: contact info, an address, a union membership."""

    def __init__(self, section, owner_field):
        self.section = section
        self.owner_field = owner_field
        # Two sections may watch one model; each keeps its own snapshot.
        self.slot = '_ekklesia_before_{}'.format(section.name)

    def pre_save(self, instance, using, **kwargs):
        self._look(instance, using)

    def post_save(self, instance, using, **kwargs):
        record_difference(self.section, instance.__dict__.pop(self.slot, {}), using)

    def pre_delete(self, instance, using, **kwargs):
        self._look(instance, using)

    def post_delete(self, instance, using, **kwargs):
        record_difference(self.section, instance.__dict__.pop(self.slot, {}), using)

    def _look(self, instance, using):
        owners = {getattr(instance, self.owner_field.attname)}
        if instance.pk is not None and not self.owner_field.primary_key:
            # A row can be moved from one member to another; both change.
            rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
            owners.update(rows.values_list(self.owner_field.attname, flat=True))
        instance.__dict__[self.slot] = lock_and_load(self.section, owners, using)


class ManyToManyHandler(object):
    """`member.titles.add(…)`, `title.members.clear()` and the rest, from either side."""

    def __init__(self, section, member_is_forward):
        self.section = section
        self.member_is_forward = member_is_forward

    def changed(self, sender, instance, action, reverse, pk_set, using, **kwargs):
        moment, _, kind = action.partition('_')
        memo = transaction_memo(using)
        key = (sender, self.section.name, kind, instance.pk, reverse)
        if moment == 'pre':
            memo.before[key] = lock_and_load(self.section, self._members(instance, reverse, pk_set, using), using)
        else:
            record_difference(self.section, memo.before.pop(key, {}), using)

    def _members(self, instance, reverse, pk_set, using):
        if reverse != self.member_is_forward:
            return [instance.pk]
        if pk_set is not None:
            return list(pk_set)
        # clear() from the other side names nobody: whoever is linked now is touched.
        rows = self.section.model._base_manager.using(using).filter(**{self.section.relation: instance.pk})
        return list(rows.values_list('pk', flat=True))


class ReferenceHandler(object):
    """A street, postal code, country, union or title: one row that many members show."""

    def __init__(self, reference):
        self.reference = reference
        self.slot = '_ekklesia_before_{}'.format(reference.lookup)

    def pre_save(self, instance, using, **kwargs):
        state = self.reference.visible_state(instance, using)
        linked = self.reference.members_of(instance, using) if state and self.reference.is_linking else set()
        instance.__dict__[self.slot] = (state, linked)

    def post_save(self, instance, using, created=False, **kwargs):
        before, linked = instance.__dict__.pop(self.slot, (None, set()))
        if created and not self.reference.is_linking or before == self.reference.visible_state(instance, using):
            return
        record_section_for(self.reference.section, linked | self.reference.members_of(instance, using), using)

    def pre_delete(self, instance, using, **kwargs):
        # Django sets the pointing columns to null without a signal, so look who points here beforehand.
        members = self.reference.members_of(instance, using)
        instance.__dict__[self.slot] = lock_and_load(self.reference.section, members, using)

    def post_delete(self, instance, using, **kwargs):
        record_difference(self.reference.section, instance.__dict__.pop(self.slot, {}), using)
