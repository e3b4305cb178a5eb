import { ForbiddenException, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import bcrypt from 'bcrypt';

import { access, refresh } from './settings.js';
import { type User, UsersService } from './users.service.js';

@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly jwt: JwtService,
  ) {}

  async validateUser(username: string, password: string) {
    const user = await this.users.findByName(username);
    return user && (await bcrypt.compare(password, user.passwordHash)) ? user : null;
  }

  async login(user: User) {
    const payload = { sub: user.userId, username: user.username };
    const refreshToken = await this.jwt.signAsync(payload, refresh);
    user.refreshTokenHash = await bcrypt.hash(refreshToken, 10);
    return { access_token: await this.jwt.signAsync(payload, access), refresh_token: refreshToken };
  }

  async refresh(userId: number, refreshToken: string) {
    const user = await this.users.findById(userId);
    if (!user?.refreshTokenHash || !(await bcrypt.compare(refreshToken, user.refreshTokenHash))) {
      throw new ForbiddenException('Access Denied');
    }
    return this.login(user);
  }

  async logout(userId: number) {
    const user = await this.users.findById(userId);
    user.refreshTokenHash = null;
  }
}
