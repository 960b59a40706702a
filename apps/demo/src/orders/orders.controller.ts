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
} from '@nestjs/common';
import { KafkaTemplateError } from '@kafka-template/nestjs';
import type { Response } from './http-response.js';
import { type OrderEntry, OrderView } from './order-view.js';
import { PlaceOrderDto, SendMode } from './order.dto.js';
import { OrdersService, type Receipt } from './orders.service.js';

const MODE = new ParseEnumPipe(SendMode, {
  exceptionFactory: () => new BadRequestException(`mode must be one of ${Object.values(SendMode).join(', ')}`),
});

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly view: OrderView,
  ) {}

  /** 201 when the broker has the order (`sync`), 202 when it is on its way (`forget`, `callback`). */
  @Post()
  async place(
    @Body() order: PlaceOrderDto,
    @Query('mode', new DefaultValuePipe(SendMode.SYNC), MODE) mode: SendMode,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Receipt> {
    response.status(mode === SendMode.SYNC ? HttpStatus.CREATED : HttpStatus.ACCEPTED);
    try {
      return await this.orders.place(order, mode);
    } catch (error) {
      if (error instanceof KafkaTemplateError) throw new ServiceUnavailableException(error.message);
      throw error;
    }
  }

  /** An order and what has become of it. */
  @Get(':id')
  get(@Param('id') id: string): OrderEntry {
    const entry = this.view.get(id);
    if (entry === undefined) throw new NotFoundException(`There is no order ${id}`);
    return entry;
  }
}
