import { Injectable } from '@nestjs/common';
import bcrypt from 'bcrypt';

export interface User {
  userId: number;
  username: string;
  passwordHash: string;
  refreshTokenHash: string | null;
}

@Injectable()
export class UsersService {
  // Stands for the users' table
  private readonly users: User[] = [
    { userId: 1, username: 'alice', passwordHash: bcrypt.hashSync('tea-with-the-hatter-71', 10), refreshTokenHash: null },
    { userId: 2, username: 'bob', passwordHash: bcrypt.hashSync('builds-a-bridge-by-noon-28', 10), refreshTokenHash: null },
  ];

  async findByName(username: string) {
    return this.users.find((user) => user.username === username);
  }

  async findById(userId: number) {
    return this.users.find((user) => user.userId === userId);
  }
}
