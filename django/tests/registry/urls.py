from django.conf import settings
from django.contrib import admin

from membership import control

try:
    from django.conf.urls import include, url
except ImportError:  # Django 4
    from django.urls import include, re_path as url

urlpatterns = [
    url(r'^admin/', admin.site.urls),
    url(r'', include('ekklesia_sync.urls')),
    url(r'^felagar/', include(('ekklesia_sync.urls', 'ekklesia_sync'), namespace='felagar')),
]

if settings.REGISTRY_CONTROL:
    urlpatterns.append(url(r'^control/(?P<action>\w+)/$', control.control))
