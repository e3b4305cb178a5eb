import { Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { Strategy as LocalStrategy } from 'passport-local';

import { AuthService } from './auth.service.js';
import { access, refresh } from './settings.js';

const bearer = ExtractJwt.fromAuthHeaderAsBearerToken();

@Injectable()
export class PasswordStrategy extends PassportStrategy(LocalStrategy) {
  constructor(private readonly auth: AuthService) {
    super();
  }

  async validate(username: string, password: string) {
    const user = await this.auth.validateUser(username, password);
    if (!user) {
      throw new UnauthorizedException();
    }
    return user;
  }
}

@Injectable()
export class AccessStrategy extends PassportStrategy(JwtStrategy, 'jwt') {
  constructor() {
    super({ jwtFromRequest: bearer, ignoreExpiration: false, secretOrKey: access.secret });
  }

  async validate(payload) {
    return { userId: payload.sub, username: payload.username };
  }
}

@Injectable()
export class RefreshStrategy extends PassportStrategy(JwtStrategy, 'jwt-refresh') {
  constructor() {
    super({ jwtFromRequest: bearer, secretOrKey: refresh.secret, passReqToCallback: true });
  }

  async validate(request, payload) {
    return { userId: payload.sub, refreshToken: bearer(request) };
  }
}
