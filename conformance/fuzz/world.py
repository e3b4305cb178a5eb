"""The sessions of a story, what should be alive of them, and what the target says.

Each token is alive, dead, or one of which nothing is said, since the sources leave that open. A story goes on until the
target accepts a dead one or refuses a living one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from conformance.fuzz.telling import Contradiction, Held, Line, Member, Move, Standing, Step
from conformance.target.policy import MOST_AT_ONCE, Policy, over_at
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.target.doors import TokenDoor
    from conformance.target.http import Exchange
    from conformance.target.session import Account
    from conformance.target.target import Target


@dataclass(slots=True)
class World:
    """One story, from its beginning."""

    target: Target
    policy: Policy
    members: list[Member] = field(default_factory=list)
    told: list[Line] = field(default_factory=list)
    judged: int = 0

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Whoever may log in."""
        return tuple(filter(None, (self.target.account, self.target.second_account)))

    def has_room(self, who: int) -> bool:
        """Whether that account may open one more session."""
        account = self.accounts[who % len(self.accounts)]
        return sum(member.session.account == account for member in self.members) < MOST_AT_ONCE

    def play(self, step: Step) -> None:
        """Lets it happen; where that is not possible, nothing does.

        Raises:
            Contradiction: the target contradicts the story so far.
            TargetError: it gives no answer to judge.
        """
        if step.move is Move.LOGIN:
            self._login(step)
            return
        if not self.members:
            return
        if step.move is Move.WAIT:
            if self.policy.lapsing:
                self._wait(list(Kind)[step.which % 2])
            return
        member = self.members[step.who % len(self.members)]
        match step.move:
            case Move.USE:
                self._use(member, step.which % len(member.accesses), step.where % len(self.policy.doors))
            case Move.REFRESH if member.refreshes:
                self._refresh(member)
            case Move.REPLAY if len(member.refreshes) > 1 and self.policy.strict:
                self._replay(member, step.which % (len(member.refreshes) - 1))
            case Move.LOGOUT if self.policy.logouts:
                self._logout(member, list(self.policy.logouts)[step.which % len(self.policy.logouts)])

    def settle(self) -> None:
        """Shows every token of the story where it belongs: each access token on every route.

        Raises:
            Contradiction, TargetError: as above.
        """
        for member in self.members:
            for which, held in enumerate(member.accesses):
                for where in range(len(self.policy.doors)):
                    if held.standing is not Standing.OPEN:
                        before = len(self.told)
                        self._use(member, which, where)
                        # It went as it should, and to use a token changes nothing: no part of the story.
                        del self.told[before:]
        for member in self.members:
            if member.refreshes and member.refreshes[-1].standing is not Standing.OPEN:
                self._refresh(member)
        for member in self.members:
            for index, held in enumerate(member.refreshes[:-1]):
                if held.standing is Standing.DEAD:
                    self._replay(member, index)

    # -- What happens ----------------------------------------------------------------------------------------------

    def _login(self, step: Step) -> None:
        if not self.has_room(step.who):
            return
        account = self.accounts[step.who % len(self.accounts)]
        session = self.target.login(account)
        if self.policy.login_ends_others:
            self._leave_open(account)
        member = Member(len(self.members), session)
        self.members.append(member)
        who = self.accounts.index(account)
        self._tell(f"{account.username!r} logs in ({member.name})", Step(Move.LOGIN, who), session.login)
        self._receive(member)

    def _use(self, member: Member, which: int, where: int) -> None:
        held, door = member.accesses[which], self.policy.doors[where]
        exchange = self.target.send(door.present(held.value, held.session))
        step = Step(Move.USE, member.index, which, where)
        self._tell(f"{held.name} is shown at {door.label}", step, exchange)
        bought = bool(door.bought(exchange.request, exchange.response))
        self._judge(held, door, exchange, accepted=bought)
        who = door.identity(exchange.response) if bought else None
        if who not in {None, held.session.account.username} and held.standing is Standing.ALIVE:
            raise Contradiction(
                self.told,
                f"the data of {held.session.account.username!r}, to whom {held.name} belongs",
                f"{door.label} answered with the data of {who!r}",
                certain=True,
            )

    def _refresh(self, member: Member) -> None:
        held, session = member.refreshes[-1], member.session
        session.ended = False
        exchange = self.target.refresh(session)
        self._tell(f"{member.name} is refreshed", Step(Move.REFRESH, member.index), exchange)
        self._judge(held, self.target.refresh_door, exchange, accepted=not session.ended)
        if session.ended:
            return
        if self.policy.refresh_ends_access:
            for access in member.accesses:
                access.becomes(Standing.OPEN)
        self._receive(member, held.standing)

    def _replay(self, member: Member, index: int) -> None:
        held, door = member.refreshes[index], self.target.refresh_door
        latest = index == len(member.refreshes) - 2
        exchange = self.target.send(door.present(held.value, held.session))
        self._tell(f"{held.name} is used again", Step(Move.REPLAY, member.index, index), exchange)
        self._judge(held, door, exchange, accepted=bool(door.bought(exchange.request, exchange.response)))
        why = f"since {held.name}, which had been used, was shown again"
        # Whoever forgets a token when its time is over does not know that it had been used.
        ends = self.policy.replay_ends and latest and not held.aged
        for each in member.held:
            dead = ends and (each.kind is Kind.REFRESH or self.policy.replay_ends_access)
            each.becomes(Standing.DEAD if dead else Standing.OPEN, why)
        if self.policy.replay_ends_others or not ends:
            self._leave_open(member.session.account)

    def _logout(self, member: Member, kind: Kind) -> None:
        held = member.accesses[-1] if kind is Kind.ACCESS else member.refreshes[-1]
        door = self.target.logout_door
        assert door is not None
        exchange = self.target.logout(member.session, kind)
        took_place = exchange.response.status < HTTPStatus.BAD_REQUEST
        step = Step(Move.LOGOUT, member.index, list(self.policy.logouts).index(kind))
        self._tell(f"{member.name} is logged out with its {kind} token", step, exchange)
        if held.standing is Standing.ALIVE:
            self._judge(held, door, exchange, accepted=took_place)
        if not took_place:
            return
        if held.aged:
            # It may have been taken for what nobody needs to end any more.
            for each in member.held:
                each.becomes(Standing.OPEN)
            return
        member.logged_out_with.add(kind)
        ending = self.policy.logouts[kind]
        everything = member.logged_out_with >= set(door.kinds)
        why = f"since {member.name} has been logged out"
        if held.standing is Standing.ALIVE or everything:
            for refresh in member.refreshes:
                refresh.becomes(Standing.DEAD if ending.refresh or everything else Standing.OPEN, why)
            for number, access in enumerate(reversed(member.accesses)):
                ended = ending.older if number else ending.access
                access.becomes(Standing.DEAD if ended else Standing.OPEN, why)
        if self.policy.logout_ends_others:
            self._leave_open(member.session.account)

    def _wait(self, kind: Kind) -> None:
        """Lets time pass until every token of that kind is over."""
        ends = [
            over_at(self.target, held.token) for member in self.members for held in member.held if held.kind is kind
        ]
        if kind not in self.policy.lapsing or None in ends or not ends:
            return
        self.target.clock.reach(max(filter(None, ends)))
        self._tell(f"the {kind} tokens' time goes by", Step(Move.WAIT, which=list(Kind).index(kind)), None)
        for member in self.members:
            for held in member.held:
                self._grow_old(held)

    # -- Keeping account -------------------------------------------------------------------------------------------

    def _receive(self, member: Member, standing: Standing = Standing.ALIVE) -> None:
        """Takes over what a login or a refresh has given."""
        now = member.session.snapshot()
        for kind, row in ((Kind.ACCESS, member.accesses), (Kind.REFRESH, member.refreshes)):
            value = now.token(kind).value
            if not value or (kind is Kind.REFRESH and not self.policy.refreshes):
                continue
            if row and row[-1].value == value:
                continue
            # As tokens without an id may be within a second.
            twins = [held for other in self.members for held in other.held if held.value == value]
            for held in twins:
                held.standing, held.shared = Standing.OPEN, True
            if kind is Kind.REFRESH and row:
                used = Standing.DEAD if self.policy.strict else Standing.OPEN
                row[-1].becomes(used, "since it has been used")
            name = f"the {kind} token" + (f" no. {len(row) + 1}" if row else "") + f" of {member.name}"
            row.append(Held(name, kind, now, Standing.OPEN if twins else standing, shared=bool(twins)))

    def _grow_old(self, held: Held) -> None:
        over = over_at(self.target, held.token)
        if over is not None and over <= self.target.clock.now() and held.kind in self.policy.lapsing:
            held.becomes(Standing.DEAD, "since its time is over")
        elif held.kind is Kind.ACCESS or held.aged or not self.policy.refresh_outlasts_access:
            # A session that nobody uses may end before its time.
            held.becomes(Standing.OPEN)
        held.aged = True

    def _leave_open(self, account: Account) -> None:
        for member in self.members:
            if member.session.account == account:
                for held in member.held:
                    held.becomes(Standing.OPEN)

    def _tell(self, line: str, step: Step, exchange: Exchange | None) -> None:
        self.told.append(Line(line, step, exchange))

    def _judge(self, held: Held, door: TokenDoor, exchange: Exchange, *, accepted: bool) -> None:
        lives = held.standing is Standing.ALIVE and self.target.is_alive(held.token)
        self.judged += lives or held.standing is Standing.DEAD
        status = exchange.response.status
        if lives and not accepted:
            self._contradict(f"{held.name} is accepted", f"refused: {door.label} answered {status}", certain=False)
        if held.standing is Standing.DEAD and accepted:
            self._contradict(
                f"{held.name} is refused, {held.why}", f"accepted: {door.label} answered {status}", certain=True
            )

    def _contradict(self, expected: str, observed: str, *, certain: bool) -> None:
        raise Contradiction(self.told, expected, observed, certain=certain)
