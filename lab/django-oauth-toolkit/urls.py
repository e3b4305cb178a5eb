"""Django OAuth Toolkit's own endpoints, and two routes that want an access token with a scope."""

from django.urls import include, path
from oauth2_provider.contrib.rest_framework import TokenHasReadWriteScope, TokenHasScope
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Me(APIView):
    permission_classes = (IsAuthenticated, TokenHasReadWriteScope)

    def get(self, request):
        return Response({"id": request.user.pk, "username": request.user.get_username()})


class MyGroups(APIView):
    permission_classes = (IsAuthenticated, TokenHasScope)
    required_scopes = ("groups",)

    def get(self, request):
        groups = request.user.groups.values_list("name", flat=True)
        return Response({"username": request.user.get_username(), "groups": list(groups)})


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("me/", Me.as_view()),
    path("me/groups/", MyGroups.as_view()),
]
