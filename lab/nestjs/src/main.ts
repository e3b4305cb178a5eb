import 'reflect-metadata';

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';

import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { AccessStrategy, PasswordStrategy, RefreshStrategy } from './strategies.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [PassportModule, JwtModule.register({})],
  controllers: [AuthController],
  providers: [AuthService, UsersService, PasswordStrategy, AccessStrategy, RefreshStrategy],
})
class AppModule {}

const app = await NestFactory.create(AppModule);
await app.listen(process.env.PORT, '127.0.0.1');
