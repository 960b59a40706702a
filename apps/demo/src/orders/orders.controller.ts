/**
 * Orders by HTTP: place one, look at one.
 */
import {
  BadRequestException,
  Body,
  Controller,
  DefaultValuePipe,
  Get,
  HttpStatus,
  NotFoundException,
  Param,
  ParseEnumPipe,
  Post,
  Query,
  Res,
  ServiceUnavailableException,
  UseGuards,
} from '@nestjs/common';
import type { Response } from './http-response.js';
import { JsonBodyGuard } from './json-body.guard.js';
import { type OrderEntry, OrderView } from './order-view.js';
import { PlaceOrderDto, SendMode } from './order.dto.js';
import { NotPlacedError, OrdersService, type Receipt } from './orders.service.js';
import { ViewProgress } from './view-progress.js';

const MODE = new ParseEnumPipe(SendMode, {
  exceptionFactory: () => new BadRequestException(`mode must be one of ${Object.values(SendMode).join(', ')}`),
});

/** When to ask again, in seconds. */
const RETRY_AFTER_S = '1';

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly view: OrderView,
    private readonly progress: ViewProgress,
  ) {}

  /** 201 when the broker has the order (`sync`), 202 when it is on its way (`forget`, `callback`). */
  @Post()
  @UseGuards(JsonBodyGuard)
  async place(
    @Body() order: PlaceOrderDto,
    @Query('mode', new DefaultValuePipe(SendMode.SYNC), MODE) mode: SendMode,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Receipt> {
    response.status(mode === SendMode.SYNC ? HttpStatus.CREATED : HttpStatus.ACCEPTED);
    try {
      return await this.orders.place(order, mode);
    } catch (error) {
      if (error instanceof NotPlacedError) throw new ServiceUnavailableException(error.message);
      throw error;
    }
  }

  /** An order and what has become of it. 503 with Retry-After while the view is still being built after a start. */
  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) response: Response): OrderEntry {
    const entry = this.view.get(id);
    if (entry !== undefined) return entry;
    if (!this.progress.isComplete) {
      response.setHeader('retry-after', RETRY_AFTER_S);
      throw new ServiceUnavailableException(`Order ${id} is not known yet: the view is still reading the topics`);
    }
    const { ordersMax, forgotten } = this.view.size;
    const older =
      forgotten === 0 ? '' : `; of the ${forgotten} older than the newest ${ordersMax} only the topic knows`;
    throw new NotFoundException(`There is no order ${id}${older}`);
  }
}
