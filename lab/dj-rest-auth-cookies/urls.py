"""dj-rest-auth's own routes, and one more that wants an access token."""

from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Dashboard(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"username": request.user.get_username(), "unread": 0})


urlpatterns = [
    path("api/auth/", include("dj_rest_auth.urls")),
    path("api/dashboard/", Dashboard.as_view()),
]
