"""simplejwt's own routes, and two that want an access token."""

from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView, TokenVerifyView


class Profile(APIView):
    def get(self, request):
        return Response({"username": request.user.get_username()})


class Dashboard(APIView):
    def get(self, request):
        return Response({"username": request.user.get_username(), "unread": 0})


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/verify/", TokenVerifyView.as_view()),
    path("api/profile/", Profile.as_view()),
    path("api/dashboard/", Dashboard.as_view()),
]
