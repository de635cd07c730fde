from django.conf import settings
from django.contrib import admin

from members import api, control

try:
    from django.conf.urls import include, url
except ImportError:  # Django 4
    from django.urls import include, re_path as url

OLD = [
    url(r'^api/members/kennitalas/$', api.kennitalas),
    url(r'^api/members/$', api.members),
    url(r'^api/sync/member/(?P<ssn>[0-9-]+)/$', api.member),
    url(r'^api/sync/changes/$', api.changes),
    url(r'^api/sync/apply/$', api.apply),
    url(r'^api/sync/mark-synced/$', api.mark_synced),
    url(r'^api/sync/status/$', api.status),
]

urlpatterns = [url(r'^admin/', admin.site.urls)]
urlpatterns += [url(r'', include('ekklesia_sync.urls'))] if settings.COMPANION else OLD
if settings.REGISTRY_CONTROL:
    urlpatterns.append(url(r'^control/(?P<action>\w+)/$', control.control))
