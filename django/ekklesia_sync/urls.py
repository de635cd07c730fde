"""Include at the registry's root: `url(r'', include('ekklesia_sync.urls'))`."""
from ekklesia_sync.api import apply_view, export_views, queue_views

try:
    from django.urls import re_path
except ImportError:  # Django 1.11
    from django.conf.urls import url as re_path

app_name = 'ekklesia_sync'

urlpatterns = [
    re_path(r'^api/members/kennitalas/$', export_views.KennitalasView.as_view(), name='kennitalas'),
    re_path(r'^api/members/$', export_views.MembersView.as_view(), name='members'),
    re_path(r'^api/sync/member/(?P<ssn>[0-9-]{1,20})/$', export_views.MemberView.as_view(), name='member'),
    re_path(r'^api/sync/digests/$', export_views.DigestsView.as_view(), name='digests'),
    re_path(r'^api/sync/changes/$', queue_views.ChangesView.as_view(), name='changes'),
    re_path(r'^api/sync/apply/$', apply_view.ApplyView.as_view(), name='apply'),
    re_path(r'^api/sync/mark-synced/$', queue_views.MarkSyncedView.as_view(), name='mark-synced'),
    re_path(r'^api/sync/status/$', queue_views.StatusView.as_view(), name='status'),
]
