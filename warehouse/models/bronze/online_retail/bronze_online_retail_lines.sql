with
raw_file as (
    select * from {{ domain_parquet('online_retail', 'online_retail.parquet', numbered=true) }}
),

-- Stock codes come in both cases for the same product.
typed as (
    select
        file_row_number + 1 as line_id,
        {{ code('InvoiceNo') }} as invoice_id,
        upper({{ code('StockCode') }}) as product_id,
        cast({{ safe_integer('CustomerID') }} as string) as customer_id,
        {{ code('Description') }} as description,
        {{ code('Country') }} as country,
        {{ safe_integer('Quantity') }} as quantity,
        {{ safe_money('UnitPrice') }} as unit_price,
        unitprice as stated_price,
        invoicedate as invoiced_at,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
