"""The queue for operators: what waits, what failed and why, retry and cancel. Payloads are read-only."""
import hashlib
import hmac

from django.conf import settings
from django.contrib import admin
from django.utils import timezone

from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.models import MemberSyncQueue

SEE_DATA = 'ekklesia_sync.view_member_data'
# What the filters of the list ask, by name.
LOOKUPS = frozenset(
    [name + end for name in ('sync_status', 'action', 'origin', 'last_error') for end in ('', '__exact', '__isnull')]
    + ['created_at__' + end for end in ('gte', 'lt', 'isnull')])
PERSONAL = ('kennitala', 'values')


def member_reference(ssn):
    """A name for a member that tells nothing about them and is the same in every row of theirs.

    Keyed, because every kennitala could be hashed and compared within minutes.
    """
    key = settings.SECRET_KEY.encode('utf-8')
    return hmac.new(key, b'ekklesia_sync:' + ssn.encode('utf-8'), hashlib.sha256).hexdigest()[:12]


class MemberSyncQueueAdmin(admin.ModelAdmin):
    list_display = ('id', 'member', 'action', 'origin', 'sync_status', 'attempts', 'next_attempt', 'last_error',
                    'created_at')
    list_filter = ('sync_status', 'action', 'origin', 'last_error', 'created_at')
    actions = ('retry', 'cancel')
    ordering = ('-id',)
    list_per_page = 100
    readonly_fields = ('id', 'webhook_id', 'member', 'action', 'origin', 'sync_status', 'attempts', 'next_attempt_at',
                       'last_error', 'created_at', 'synced_at', 'superseded_by', 'changed_fields') + PERSONAL

    def get_fields(self, request, obj=None):
        # Decided by the request at hand: one ModelAdmin serves all threads, so nothing is kept on it.
        may_see = request.user.has_perm(SEE_DATA)
        return [name for name in self.readonly_fields if may_see or name not in PERSONAL]

    def member(self, row):
        return member_reference(row.ssn)

    def next_attempt(self, row):
        return row.next_attempt_at if row.sync_status == MemberSyncQueue.PENDING else None

    def kennitala(self, row):
        return row.ssn

    def changed_fields(self, row):
        return ', '.join(sorted(row.fields_changed)) or '(all)'

    def values(self, row):
        return row.fields_changed_json

    def get_search_fields(self, request):
        # A search that finds tells that a person is a member.
        return ('=ssn', '=id') if request.user.has_perm(SEE_DATA) else ('=id',)

    def get_search_results(self, request, queryset, search_term):
        return super(MemberSyncQueueAdmin, self).get_search_results(request, queryset, without_hyphen(search_term))

    def lookup_allowed(self, lookup, value, request=None):
        # Django allows any lookup on a field of the model itself: `?ssn__startswith=` would read a kennitala digit by digit.
        return lookup in LOOKUPS

    def get_actions(self, request):
        actions = super(MemberSyncQueueAdmin, self).get_actions(request)
        # To look is not to act. Old Django has no way to say it on the action itself.
        if not self.has_change_permission(request):
            for name in self.actions:
                actions.pop(name, None)
        return actions

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def retry(self, request, queryset):
        """Makes dead letters and cancelled events pending again, with all their attempts; waiting ones go at once."""
        states = (MemberSyncQueue.FAILED, MemberSyncQueue.CANCELLED, MemberSyncQueue.PENDING)
        count = queryset.filter(sync_status__in=states).update(
            sync_status=MemberSyncQueue.PENDING, attempts=0, next_attempt_at=timezone.now(), last_error='')
        from ekklesia_sync.delivery import background
        background.wake()
        self.message_user(request, '{} to be sent again.'.format(count))

    def cancel(self, request, queryset):
        count = queryset.filter(sync_status__in=MemberSyncQueue.OPEN).update(sync_status=MemberSyncQueue.CANCELLED)
        self.message_user(request, '{} cancelled.'.format(count))

    retry.short_description = 'Retry'
    cancel.short_description = 'Cancel'


admin.site.register(MemberSyncQueue, MemberSyncQueueAdmin)
