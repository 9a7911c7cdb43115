{% macro hour_bands() -%}
    {{ return(['morning', 'midday', 'afternoon', 'evening', 'night']) }}
{%- endmacro %}

{# Morning 6-10, midday 11-13, afternoon 14-17, evening 18-21, night 22-5. #}
{% macro hour_band(hour) -%}
    case
            when {{ hour }} between 6 and 10 then 'morning'
            when {{ hour }} between 11 and 13 then 'midday'
            when {{ hour }} between 14 and 17 then 'afternoon'
            when {{ hour }} between 18 and 21 then 'evening'
            else 'night'
        end
{%- endmacro %}
