import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HubService } from 'herald-nest';

const MACHINES = ['north', 'south', 'west'];

/** Milliseconds between two measurements, which is far more often than anybody can read. */
const INTERVAL = 50;

/** Measures machines, or would. */
@Injectable()
export class MachinesService implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private count = 0;

  constructor(private readonly hub: HubService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.measure(), INTERVAL);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async measure(): Promise<void> {
    this.count += 1;
    await Promise.all(
      MACHINES.map((name) =>
        this.hub.publish({
          topics: [`urn:machine:${name}`],
          data: JSON.stringify({ name, load: Math.round(Math.random() * 100), count: this.count }),
        }),
      ),
    );
  }
}
