/**
 * An order: as it comes in by HTTP, and as it travels through the topic.
 */
import { Transform } from 'class-transformer';
import { IsISO8601, IsInt, IsString, Length, Max, Min } from 'class-validator';

/** What a customer orders. */
export class PlaceOrderDto {
  /** A number will do, too. */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'number' ? String(value) : value))
  @IsString()
  @Length(1, 64)
  id!: string;
  @IsString() @Length(1, 100) customer!: string;
  @IsString() @Length(1, 100) item!: string;
  @IsInt() @Min(1) @Max(1000) quantity!: number;
}

/** An order with the time it came in. */
export class PlacedOrderDto extends PlaceOrderDto {
  @IsISO8601() placedAt!: string;
}

/** What billing has made of an order. */
export class InvoiceDto {
  @IsString() orderId!: string;
  @IsString() number!: string;
  @IsInt() amountCents!: number;
}

/** The three ways to send. */
export const SendMode = { FORGET: 'forget', SYNC: 'sync', CALLBACK: 'callback' } as const;

/** One of the three ways to send. */
export type SendMode = (typeof SendMode)[keyof typeof SendMode];
