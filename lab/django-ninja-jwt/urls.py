"""The controller that django-ninja-jwt brings along, and two routes that want an access token."""

from django.urls import path
from ninja_extra import NinjaExtraAPI
from ninja_jwt.authentication import JWTAuth
from ninja_jwt.controller import NinjaJWTDefaultController

api = NinjaExtraAPI()
api.register_controllers(NinjaJWTDefaultController)


@api.get("/me", auth=JWTAuth())
def me(request):
    return {"username": request.user.get_username()}


@api.get("/dashboard", auth=JWTAuth())
def dashboard(request):
    return {"username": request.user.get_username(), "unread": 0}


urlpatterns = [path("api/", api.urls)]
