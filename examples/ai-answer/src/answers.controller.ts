import { Body, Controller, Post } from '@nestjs/common';
import { AnswersService } from './answers.service.js';

@Controller('answers')
export class AnswersController {
  constructor(private readonly answers: AnswersService) {}

  /** Begins an answer, and says where it can be read while it is written. */
  @Post()
  ask(@Body() { question }: { question: string }): { id: string } {
    return { id: this.answers.begin(question) };
  }
}
