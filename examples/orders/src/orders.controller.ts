import { Body, Controller, NotFoundException, Param, Post, Req, UseGuards } from '@nestjs/common';
import { HubService } from 'herald-nest';
import { LoggedIn } from './logged-in.guard.js';
import { Sessions } from './sessions.js';
import { topicOf } from './topics.js';

interface Order {
  readonly id: string;
  readonly customer: string;
  status: string;
}

@Controller('orders')
@UseGuards(LoggedIn)
export class OrdersController {
  private readonly orders: Order[] = [];

  constructor(
    private readonly hub: HubService,
    private readonly sessions: Sessions,
  ) {}

  @Post()
  async order(@Req() request: { headers: { cookie?: string } }): Promise<Order> {
    const customer = this.sessions.nameOf(request) ?? '';
    const order = { id: String(this.orders.length + 1), customer, status: 'received' };
    this.orders.push(order);
    await this.tell(order);
    return order;
  }

  /** The warehouse would do this. */
  @Post(':id/status')
  async setStatus(@Param('id') id: string, @Body() { status }: { status: string }): Promise<Order> {
    const order = this.orders.find((one) => one.id === id);
    if (!order) throw new NotFoundException();
    order.status = status;
    await this.tell(order);
    return order;
  }

  /** Only those get it who may read the topic, and those who are away get it when they come back. */
  private async tell(order: Order): Promise<void> {
    await this.hub.publish({ topics: [topicOf(order.customer, order.id)], data: JSON.stringify(order), private: true });
  }
}
