from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from membership import control

urlpatterns = [
    path('admin/', admin.site.urls),
    path('', include('ekklesia_sync.urls')),
    path('felagar/', include(('ekklesia_sync.urls', 'ekklesia_sync'), namespace='felagar')),
]

if settings.REGISTRY_CONTROL:
    urlpatterns.append(path('control/<slug:action>/', control.control))
