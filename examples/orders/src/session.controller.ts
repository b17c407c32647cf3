import { Body, Controller, Post, Res } from '@nestjs/common';
import { Sessions } from './sessions.js';

@Controller('session')
export class SessionController {
  constructor(private readonly sessions: Sessions) {}

  @Post()
  logIn(
    @Body() { name }: { name: string },
    @Res({ passthrough: true }) reply: { header(name: string, value: string): unknown },
  ): { name: string } {
    reply.header('set-cookie', `session=${this.sessions.begin(name)}; HttpOnly; SameSite=Lax; Path=/`);
    return { name };
  }
}
