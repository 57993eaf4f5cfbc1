"""Sign in, sign out, sign up, and the one-time link of the first start."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webapp.accounts.forms import SignUpForm
from webapp.accounts.services import user_for_link
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInView(LoginView):
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        check_rate(request, "sign-in")
        return super().post(request, *args, **kwargs)


@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if not settings.SIGN_UP_OPEN:
        raise Http404
    form = SignUpForm(request.POST or None)
    if request.method == "POST":
        check_rate(request, "sign-in")
        if form.is_valid():
            login(request, form.save(), backend=BACKEND)
            return redirect("home")
    return render(
        request, "accounts/sign_up.html", {"form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """A link's preview must not use it up, so it is the button that signs in."""
    person = user_for_link(uid=uid, token=token)
    if person is None:
        raise UserFacingError(
            "link_used",
            "This sign-in link was used already or is too old.",
            "Sign in with your password instead.",
            status=410,
        )
    if request.method == "POST":
        check_rate(request, "sign-in")
        login(request, person, backend=BACKEND)
        return redirect("home")
    return render(request, "accounts/welcome.html", {"person": person})
