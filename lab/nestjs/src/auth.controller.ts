import { Controller, Get, Post, Request, UseGuards } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';

import { AuthService } from './auth.service.js';

@Controller('auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @UseGuards(AuthGuard('local'))
  @Post('login')
  login(@Request() request) {
    return this.auth.login(request.user);
  }

  @UseGuards(AuthGuard('jwt-refresh'))
  @Post('refresh')
  refresh(@Request() request) {
    return this.auth.refresh(request.user.userId, request.user.refreshToken);
  }

  @UseGuards(AuthGuard('jwt'))
  @Post('logout')
  logout(@Request() request) {
    return this.auth.logout(request.user.userId);
  }

  @UseGuards(AuthGuard('jwt'))
  @Get('profile')
  profile(@Request() request) {
    return request.user;
  }
}
